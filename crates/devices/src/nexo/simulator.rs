//! A card terminal that is none: it speaks the protocol over TCP, keeps accounts of what it charged,
//! and can be told to decline, to wait, to drop the connection before or after it has charged, and
//! to be offline. For demonstrations and tests; no card is ever charged by it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::frame;
use super::message::{
    AcquirerData, AmountsResp, Answer, CardData, Category, Header, InstrumentData, Message,
    MessageReference, Outputs, PaymentRequest, PaymentResponse, PaymentResult, PaymentToken, Plain,
    PoiData, Repeated, RepeatedBody, Request, Response, StatusResponse, TransactionId,
};

/// What the simulator does with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Approve,
    /// Approves without asking the acquirer.
    ApproveOffline,
    Decline,
    /// Approves after so long.
    Delay(Duration),
    /// Ends the connection without charging.
    DropBefore,
    /// Charges, then ends the connection.
    DropAfter,
}

/// Says what to do with a payment, by the number of payments before it.
pub type Script = Box<dyn FnMut(u64) -> Behaviour + Send>;

/// Says whether the answer to anything but a payment is lost; what was asked is done all the same.
pub type Losing = Box<dyn FnMut() -> bool + Send>;

/// A payment that was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The lane's number of it.
    pub service_id: String,
    /// As the lane asked for it, such as `12.34`.
    pub amount: String,
    pub refund: bool,
    pub reversed: bool,
}

struct Books {
    script: Script,
    losing: Losing,
    asked: u64,
    /// What was answered, or would have been, to each payment.
    answers: BTreeMap<MessageReference, PaymentResponse>,
    charges: Vec<Charge>,
    shown: Vec<String>,
}

/// A terminal at work, until it is dropped.
pub struct Simulator {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
    offline: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Simulator {
    /// Listens on loopback; port 0 takes any free one.
    pub fn start(port: u16, script: Script) -> io::Result<Simulator> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let books = Arc::new(Mutex::new(Books {
            script,
            losing: Box::new(|| false),
            asked: 0,
            answers: BTreeMap::new(),
            charges: Vec::new(),
            shown: Vec::new(),
        }));
        let (offline, closing) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let listening = std::thread::spawn({
            let (books, offline, closing) = (books.clone(), offline.clone(), closing.clone());
            move || {
                for stream in listener.incoming() {
                    if closing.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    // A terminal that is offline takes the connection and says nothing.
                    if offline.load(Ordering::SeqCst) {
                        continue;
                    }
                    let books = books.clone();
                    std::thread::spawn(move || serve(stream, &books));
                }
            }
        });
        Ok(Simulator {
            address,
            books,
            offline,
            closing,
            listening: Some(listening),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Loses answers from now on.
    pub fn set_losing(&self, losing: Losing) {
        lock(&self.books).losing = losing;
    }

    /// Takes no more questions, or takes them again.
    pub fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Ordering::SeqCst);
    }

    /// Everything that was charged, oldest first.
    pub fn charges(&self) -> Vec<Charge> {
        lock(&self.books).charges.clone()
    }

    /// What was shown and printed, oldest first.
    pub fn shown(&self) -> Vec<String> {
        lock(&self.books).shown.clone()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// Answers what comes over one connection until it ends or the script ends it.
fn serve(mut stream: TcpStream, books: &Mutex<Books>) {
    let _ = stream.set_nodelay(true);
    while let Ok(Message::Request(request)) = frame::read(&mut stream) {
        let Some(answer) = answer(&request, books) else {
            return;
        };
        let is_payment = request.message_header.message_category == Category::Payment;
        if !is_payment && (lock(books).losing)() {
            return;
        }
        if frame::write(&mut stream, &Message::Answer(Box::new(answer))).is_err() {
            return;
        }
    }
}

fn success() -> Response {
    Response {
        result: "Success".to_owned(),
        error_condition: None,
        additional_response: None,
    }
}

fn failure(condition: &str) -> Response {
    Response {
        result: "Failure".to_owned(),
        error_condition: Some(condition.to_owned()),
        additional_response: None,
    }
}

/// The answer to a request; `None` to end the connection instead.
fn answer(request: &Request, books: &Mutex<Books>) -> Option<Answer> {
    let mut answer = Answer {
        message_header: Header {
            message_type: "Response".to_owned(),
            ..request.message_header.clone()
        },
        login_response: None,
        payment_response: None,
        reversal_response: None,
        transaction_status_response: None,
        display_response: None,
        print_response: None,
    };
    let plain = || Plain {
        response: success(),
    };
    match request.message_header.message_category {
        Category::Login => answer.login_response = Some(plain()),
        Category::Payment => {
            answer.payment_response = Some(pay(request, request.payment_request.as_ref()?, books)?);
        }
        Category::Reversal => answer.reversal_response = Some(reverse(request, books)?),
        Category::TransactionStatus => {
            answer.transaction_status_response = Some(status(request, books)?);
        }
        // An abort has no answer of its own.
        Category::Abort => return None,
        Category::Display => {
            let outputs = &request.display_request.as_ref()?.display_output;
            let texts = outputs
                .iter()
                .flat_map(|output| &output.output_content.output_text);
            lock(books)
                .shown
                .extend(texts.map(|text| text.text.clone()));
            let output_result = outputs.iter().map(|_| plain()).collect();
            answer.display_response = Some(Outputs { output_result });
        }
        Category::Print => {
            let output = &request.print_request.as_ref()?.print_output.output_content;
            let texts = output.output_text.iter().map(|text| text.text.clone());
            lock(books).shown.extend(texts);
            answer.print_response = Some(plain());
        }
    }
    Some(answer)
}

fn pay(
    request: &Request,
    payment: &PaymentRequest,
    books: &Mutex<Books>,
) -> Option<PaymentResponse> {
    let reference = MessageReference {
        message_category: "Payment".to_owned(),
        sale_id: request.message_header.sale_id.clone(),
        service_id: request.message_header.service_id.clone()?,
    };
    let mut open = lock(books);
    // The same number again is the same payment.
    if let Some(known) = open.answers.get(&reference) {
        return Some(known.clone());
    }
    let asked = open.asked;
    open.asked += 1;
    let behaviour = (open.script)(asked);
    let response = match behaviour {
        Behaviour::DropBefore => return None,
        Behaviour::Decline => PaymentResponse {
            response: failure("Refusal"),
            poi_data: None,
            payment_result: None,
        },
        Behaviour::Approve
        | Behaviour::ApproveOffline
        | Behaviour::Delay(_)
        | Behaviour::DropAfter => {
            let amounts = &payment.payment_transaction.amounts_req;
            let kind = payment
                .payment_data
                .as_ref()
                .map(|data| data.payment_type.as_str());
            open.charges.push(Charge {
                service_id: reference.service_id.clone(),
                amount: amounts.requested_amount.to_string(),
                refund: kind == Some("Refund"),
                reversed: false,
            });
            let online = behaviour != Behaviour::ApproveOffline;
            approved(payment, open.charges.len(), online)
        }
    };
    open.answers.insert(reference, response.clone());
    drop(open);
    match behaviour {
        Behaviour::DropAfter => None,
        Behaviour::Delay(time) => {
            std::thread::sleep(time);
            Some(response)
        }
        _ => Some(response),
    }
}

fn approved(payment: &PaymentRequest, number: usize, online: bool) -> PaymentResponse {
    let amounts = &payment.payment_transaction.amounts_req;
    PaymentResponse {
        response: success(),
        poi_data: Some(PoiData {
            poi_transaction_id: TransactionId {
                transaction_id: format!("{number}"),
                time_stamp: payment.sale_data.sale_transaction_id.time_stamp.clone(),
            },
        }),
        payment_result: Some(PaymentResult {
            amounts_resp: AmountsResp {
                currency: Some(amounts.currency.clone()),
                authorized_amount: amounts.requested_amount.clone(),
            },
            payment_instrument_data: Some(InstrumentData {
                payment_instrument_type: "Card".to_owned(),
                card_data: Some(CardData {
                    payment_brand: Some("VISA".to_owned()),
                    masked_pan: Some("476173XXXXXX0119".to_owned()),
                    payment_token: Some(PaymentToken {
                        token_value: format!("tok-{number}"),
                    }),
                }),
            }),
            payment_acquirer_data: Some(AcquirerData {
                approval_code: Some(format!("{:06}", number % 1_000_000)),
            }),
            online_flag: Some(online),
        }),
    }
}

fn reverse(request: &Request, books: &Mutex<Books>) -> Option<Plain> {
    let original = &request.reversal_request.as_ref()?.original_poi_transaction;
    let number = original.poi_transaction_id.transaction_id.parse::<usize>();
    let mut open = lock(books);
    let place = number.ok().and_then(|number| number.checked_sub(1));
    let response = match place.and_then(|place| open.charges.get_mut(place)) {
        Some(charge) => {
            charge.reversed = true;
            success()
        }
        None => failure("NotFound"),
    };
    Some(Plain { response })
}

fn status(request: &Request, books: &Mutex<Books>) -> Option<StatusResponse> {
    let reference = &request
        .transaction_status_request
        .as_ref()?
        .message_reference;
    let found = lock(books).answers.get(reference).cloned();
    Some(match found {
        None => StatusResponse {
            response: failure("NotFound"),
            repeated_message_response: None,
        },
        Some(response) => StatusResponse {
            response: success(),
            repeated_message_response: Some(Repeated {
                message_header: Header {
                    message_category: Category::Payment,
                    service_id: Some(reference.service_id.clone()),
                    ..request.message_header.clone()
                },
                repeated_response_message_body: RepeatedBody {
                    payment_response: Some(response),
                    reversal_response: None,
                },
            }),
        },
    })
}
