//! A card terminal as a lane uses it.
//!
//! A payment has a number of the lane's own, which the lane makes durable before it asks. Whatever
//! happens to the connection, the terminal can then be asked what became of that number, so a
//! payment is never asked for again under another one: a lost answer charges nobody twice. Calls
//! block; callers keep them off threads that must not wait.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use money::{Currency, Money};
use sale::{CardAnswer, CardApproval, CardTransaction};

use super::frame;
use super::message::Answer;
use super::message::{
    AbortRequest, AmountsReq, Category, DisplayRequest, Header, LoginRequest, Message,
    MessageReference, OriginalPoiTransaction, Output, OutputContent, OutputText, PROTOCOL_VERSION,
    PaymentData, PaymentRequest, PaymentResponse, PaymentTransaction, PrintRequest, Request,
    Response, ReversalRequest, SaleData, SaleSoftware, StatusRequest, TransactionId,
};

/// How a terminal is reached, and how long it may take.
#[derive(Clone, Debug)]
pub struct TerminalSettings {
    pub address: SocketAddr,
    /// The lane's name towards the terminal.
    pub sale_id: String,
    /// The terminal's name.
    pub poi_id: String,
    pub connect_limit: Duration,
    /// How long a payment's answer may take: a customer looks for a card.
    pub answer_limit: Duration,
    /// How long to go on asking what became of a payment whose answer was lost.
    pub doubt_limit: Duration,
    /// Between two such questions.
    pub ask_again_every: Duration,
}

/// A payment that was approved. No card number: what a terminal masks, cut to its last four digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub amount: Money,
    /// The terminal's own number of it, by which it can be reversed.
    pub poi_transaction: String,
    pub poi_time: String,
    pub brand: Option<String>,
    pub last_four: Option<String>,
    /// Stands for the card at the acquirer.
    pub token: Option<String>,
    pub approval_code: Option<String>,
    /// The terminal could not reach the acquirer and took the risk itself.
    pub offline: bool,
}

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Approved(Approval),
    /// Nothing was charged.
    NotCharged {
        reason: String,
    },
    /// The terminal could not be asked in time. It may have charged the card: ask again with
    /// [`Terminal::resolve`], or put it before a person.
    Doubtful {
        reason: String,
    },
}

impl From<Outcome> for CardAnswer {
    fn from(outcome: Outcome) -> CardAnswer {
        match outcome {
            // A sale that counted it would count nothing, or would owe more than before.
            Outcome::Approved(approval) if approval.amount.minor() <= 0 => CardAnswer::Doubtful {
                reason: format!("the terminal approved {}", approval.amount),
            },
            Outcome::Approved(approval) => CardAnswer::Approved {
                approval: Box::new(CardApproval::from(approval)),
            },
            Outcome::NotCharged { reason } => CardAnswer::Declined { reason },
            Outcome::Doubtful { reason } => CardAnswer::Doubtful { reason },
        }
    }
}

impl From<Approval> for CardApproval {
    fn from(approval: Approval) -> CardApproval {
        CardApproval {
            amount: approval.amount,
            // What was charged beyond what was asked for is found by who asked.
            tip: None,
            transaction: CardTransaction {
                id: approval.poi_transaction,
                time: approval.poi_time,
            },
            brand: approval.brand,
            last_four: approval.last_four,
            token: approval.token,
            approval_code: approval.approval_code,
            offline: approval.offline,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error("the card terminal cannot be reached ({0}): check its cable and its network")]
    Connection(#[from] io::Error),
    #[error("the card terminal answered something else than was asked: {0}")]
    Answer(String),
    #[error("the card terminal refused: {0}")]
    Refused(String),
}

/// A way to one terminal. Connects anew for every question, so that nothing of a broken connection
/// is ever taken for the answer to a later question.
#[derive(Clone, Debug)]
pub struct Terminal {
    settings: TerminalSettings,
}

/// The number of a payment: at most ten characters, unique among all payments of a lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaymentNumber(String);

impl PaymentNumber {
    /// The number of a lane's `n`th question to its terminal, from 1; the same again after more
    /// than 10^10 of them.
    pub fn new(n: u64) -> PaymentNumber {
        PaymentNumber(format!("{:010}", n % 10_000_000_000))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Terminal {
    pub fn new(settings: TerminalSettings) -> Terminal {
        Terminal { settings }
    }

    fn header(&self, category: Category, service_id: &str) -> Header {
        Header {
            protocol_version: Some(PROTOCOL_VERSION.to_owned()),
            message_class: match category {
                Category::Display | Category::Print => "Device",
                _ => "Service",
            }
            .to_owned(),
            message_category: category,
            message_type: "Request".to_owned(),
            service_id: Some(service_id.to_owned()),
            sale_id: self.settings.sale_id.clone(),
            poi_id: self.settings.poi_id.clone(),
        }
    }

    fn request(&self, category: Category, service_id: &str) -> Request {
        Request {
            message_header: self.header(category, service_id),
            login_request: None,
            payment_request: None,
            reversal_request: None,
            transaction_status_request: None,
            abort_request: None,
            display_request: None,
            print_request: None,
        }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let settings = &self.settings;
        let stream = TcpStream::connect_timeout(&settings.address, settings.connect_limit)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(settings.answer_limit))?;
        stream.set_write_timeout(Some(settings.connect_limit))?;
        Ok(stream)
    }

    /// Sends a request and reads its answer, passing over what the terminal sends in between.
    fn ask(&self, request: Request) -> Result<Answer, TerminalError> {
        /// Messages passed over before the answer.
        const OTHERS_MAX: usize = 100;
        let expected = request.message_header.clone();
        let mut stream = self.connect()?;
        frame::write(&mut stream, &Message::Request(Box::new(request)))?;
        for _ in 0..OTHERS_MAX {
            if let Message::Answer(answer) = frame::read(&mut stream)? {
                let header = &answer.message_header;
                if header.service_id == expected.service_id
                    && header.message_category == expected.message_category
                {
                    return Ok(*answer);
                }
            }
        }
        Err(TerminalError::Answer(
            "no answer among its messages".to_owned(),
        ))
    }

    /// Introduces the lane. `time` is ISO 8601.
    pub fn login(
        &self,
        number: &PaymentNumber,
        time: &str,
        release: &str,
    ) -> Result<(), TerminalError> {
        let mut request = self.request(Category::Login, number.as_str());
        request.login_request = Some(LoginRequest {
            date_time: time.to_owned(),
            operator_language: "en".to_owned(),
            sale_software: SaleSoftware {
                manufacturer_id: "Lanemesh".to_owned(),
                application_name: "Lanemesh".to_owned(),
                software_version: release.to_owned(),
                certification_code: "0".to_owned(),
            },
        });
        let answer = self.ask(request)?.login_response;
        let answer = answer.ok_or_else(|| TerminalError::Answer("no login".to_owned()))?;
        worked(&answer.response)
    }

    /// Charges a card. The number must be durable before this is called, and never be used for
    /// another payment. When the answer is lost, the terminal is asked what became of it.
    pub fn pay(&self, number: &PaymentNumber, amount: Money, time: &str) -> Outcome {
        self.charge(number, amount, time, "Normal")
    }

    /// Gives money back to a card that is presented.
    pub fn refund(&self, number: &PaymentNumber, amount: Money, time: &str) -> Outcome {
        self.charge(number, amount, time, "Refund")
    }

    fn charge(&self, number: &PaymentNumber, amount: Money, time: &str, kind: &str) -> Outcome {
        let Ok(requested_amount) = amount.to_string().parse() else {
            return Outcome::NotCharged {
                reason: format!("{amount} cannot be charged"),
            };
        };
        let mut request = self.request(Category::Payment, number.as_str());
        request.payment_request = Some(PaymentRequest {
            sale_data: SaleData {
                sale_transaction_id: TransactionId {
                    transaction_id: number.as_str().to_owned(),
                    time_stamp: time.to_owned(),
                },
            },
            payment_transaction: PaymentTransaction {
                amounts_req: AmountsReq {
                    currency: amount.currency().to_string(),
                    requested_amount,
                },
            },
            payment_data: Some(PaymentData {
                payment_type: kind.to_owned(),
            }),
        });
        match self.ask(request) {
            Ok(Answer {
                payment_response: Some(response),
                ..
            }) => outcome(&response, amount.currency()),
            Ok(_) | Err(_) => self.resolve(number, amount.currency()),
        }
    }

    /// Asks what became of a payment, again and again for as long as the settings allow.
    ///
    /// A payment that the terminal has not heard of is asked for once more after a pause: its
    /// request may have been on the way when the connection broke.
    pub fn resolve(&self, number: &PaymentNumber, currency: Currency) -> Outcome {
        let began = Instant::now();
        let mut unheard_of = false;
        loop {
            let found = match self.status(number, currency) {
                Some(found) => {
                    unheard_of = false;
                    found
                }
                None if unheard_of => {
                    return Outcome::NotCharged {
                        reason: "the terminal never got the payment".to_owned(),
                    };
                }
                None => {
                    unheard_of = true;
                    Outcome::Doubtful {
                        reason: "the terminal has not heard of the payment".to_owned(),
                    }
                }
            };
            let asked_long_enough = began.elapsed() >= self.settings.doubt_limit;
            if asked_long_enough || !matches!(found, Outcome::Doubtful { .. }) {
                return found;
            }
            std::thread::sleep(self.settings.ask_again_every);
        }
    }

    /// Asks once what became of a payment; `None` where the terminal has not heard of it.
    pub fn status(&self, number: &PaymentNumber, currency: Currency) -> Option<Outcome> {
        let doubtful = |reason: String| Some(Outcome::Doubtful { reason });
        // The question's own number only has to differ from the payment's.
        let service_id = format!("s{}", &number.as_str()[1..]);
        let mut request = self.request(Category::TransactionStatus, &service_id);
        request.transaction_status_request = Some(StatusRequest {
            message_reference: self.reference(number),
        });
        let answer = match self.ask(request) {
            Ok(answer) => answer,
            Err(error) => return doubtful(error.to_string()),
        };
        let Some(status) = answer.transaction_status_response else {
            return doubtful("the terminal said nothing of it".to_owned());
        };
        let repeated = status.repeated_message_response;
        let repeated = repeated.and_then(|r| r.repeated_response_message_body.payment_response);
        match (status.response.error_condition.as_deref(), repeated) {
            (_, Some(response)) => Some(outcome(&response, currency)),
            (Some("NotFound"), None) => None,
            (condition, None) => doubtful(condition.unwrap_or("no answer").to_owned()),
        }
    }

    fn reference(&self, number: &PaymentNumber) -> MessageReference {
        MessageReference {
            message_category: "Payment".to_owned(),
            sale_id: self.settings.sale_id.clone(),
            service_id: number.as_str().to_owned(),
        }
    }

    /// Takes a whole payment back. A reversal that was carried out before is carried out again as
    /// the same.
    pub fn reverse(
        &self,
        number: &PaymentNumber,
        original: &CardTransaction,
    ) -> Result<(), TerminalError> {
        let mut request = self.request(Category::Reversal, number.as_str());
        request.reversal_request = Some(ReversalRequest {
            original_poi_transaction: OriginalPoiTransaction {
                poi_transaction_id: TransactionId {
                    transaction_id: original.at_terminal(),
                    time_stamp: original.time.clone(),
                },
            },
            reversal_reason: "MerchantCancel".to_owned(),
        });
        let answer = self.ask(request)?.reversal_response;
        let answer = answer.ok_or_else(|| TerminalError::Answer("no reversal".to_owned()))?;
        worked(&answer.response)
    }

    /// Asks the terminal to give up a payment that is under way. There is no answer: the payment's
    /// own says what became of it.
    pub fn abort(&self, number: &PaymentNumber) -> Result<(), TerminalError> {
        let service_id = format!("a{}", &number.as_str()[1..]);
        let mut request = self.request(Category::Abort, &service_id);
        request.abort_request = Some(AbortRequest {
            message_reference: self.reference(number),
            abort_reason: "MerchantAbort".to_owned(),
        });
        let mut stream = self.connect()?;
        frame::write(&mut stream, &Message::Request(Box::new(request)))?;
        Ok(())
    }

    /// Shows words to the customer.
    pub fn display(&self, number: &PaymentNumber, text: &str) -> Result<(), TerminalError> {
        let mut request = self.request(Category::Display, number.as_str());
        request.display_request = Some(DisplayRequest {
            display_output: vec![Output {
                device: Some("CustomerDisplay".to_owned()),
                info_qualify: Some("Display".to_owned()),
                document_qualifier: None,
                response_mode: None,
                output_content: content(text),
            }],
        });
        let answer = self.ask(request)?.display_response;
        let answer = answer.ok_or_else(|| TerminalError::Answer("no display".to_owned()))?;
        answer
            .output_result
            .iter()
            .try_for_each(|one| worked(&one.response))
    }

    /// Prints words on the terminal's printer.
    pub fn print(&self, number: &PaymentNumber, text: &str) -> Result<(), TerminalError> {
        let mut request = self.request(Category::Print, number.as_str());
        request.print_request = Some(PrintRequest {
            print_output: Output {
                device: None,
                info_qualify: None,
                document_qualifier: Some("CustomerReceipt".to_owned()),
                response_mode: Some("PrintEnd".to_owned()),
                output_content: content(text),
            },
        });
        let answer = self.ask(request)?.print_response;
        let answer = answer.ok_or_else(|| TerminalError::Answer("no print".to_owned()))?;
        worked(&answer.response)
    }
}

fn content(text: &str) -> OutputContent {
    OutputContent {
        output_format: "Text".to_owned(),
        output_text: text
            .lines()
            .map(|line| OutputText {
                text: line.to_owned(),
            })
            .collect(),
    }
}

fn worked(response: &Response) -> Result<(), TerminalError> {
    match response.result.as_str() {
        "Success" => Ok(()),
        _ => Err(TerminalError::Refused(words(response))),
    }
}

fn words(response: &Response) -> String {
    let condition = response.error_condition.as_deref();
    let words = response.additional_response.as_deref().or(condition);
    words.unwrap_or("no reason").to_owned()
}

/// What a payment's answer means.
fn outcome(response: &PaymentResponse, currency: Currency) -> Outcome {
    if response.response.result != "Success" {
        return match response.response.error_condition.as_deref() {
            // It goes on: only a later answer is one.
            Some("InProgress") => Outcome::Doubtful {
                reason: "the terminal is still at it".to_owned(),
            },
            _ => Outcome::NotCharged {
                reason: words(&response.response),
            },
        };
    }
    match approval(response, currency) {
        Some(approval) => Outcome::Approved(approval),
        None => Outcome::Doubtful {
            reason: "the terminal approved without saying how much".to_owned(),
        },
    }
}

fn approval(response: &PaymentResponse, currency: Currency) -> Option<Approval> {
    let result = response.payment_result.as_ref()?;
    let transaction = &response.poi_data.as_ref()?.poi_transaction_id;
    let amount = Money::parse(&result.amounts_resp.authorized_amount.to_string(), currency).ok()?;
    let card = result
        .payment_instrument_data
        .as_ref()
        .and_then(|data| data.card_data.clone());
    let acquirer = result.payment_acquirer_data.as_ref();
    Some(Approval {
        amount,
        poi_transaction: transaction.transaction_id.clone(),
        poi_time: transaction.time_stamp.clone(),
        brand: card.as_ref().and_then(|card| card.payment_brand.clone()),
        last_four: card
            .as_ref()
            .and_then(|card| last_four(card.masked_pan.as_deref()?)),
        token: card.and_then(|card| Some(card.payment_token?.token_value)),
        approval_code: acquirer.and_then(|acquirer| acquirer.approval_code.clone()),
        offline: result.online_flag == Some(false),
    })
}

/// The last four digits of a masked number, whatever else a terminal let through.
fn last_four(masked: &str) -> Option<String> {
    let digits: Vec<char> = masked.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().checked_sub(4)?;
    Some(digits[from..].iter().collect())
}
