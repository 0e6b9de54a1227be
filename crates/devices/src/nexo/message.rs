//! The messages between a lane and its card terminal: nexo Retailer protocol 3.1, JSON form.
//!
//! Only what a lane says and reads is named here; what else a terminal sends is passed over. Source:
//! nexo standards, Sale to POI Protocol Specifications 3.1, and its JSON schema. No message here has
//! room for a whole card number: a terminal masks it before it leaves the terminal.

use serde::{Deserialize, Serialize};

/// The version this lane speaks.
pub(crate) const PROTOCOL_VERSION: &str = "3.1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Category {
    Login,
    Payment,
    Reversal,
    TransactionStatus,
    Abort,
    Display,
    Print,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Header {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
    pub message_class: String,
    pub message_category: Category,
    pub message_type: String,
    /// Names a question and its answer; at most ten characters.
    #[serde(rename = "ServiceID", skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    #[serde(rename = "SaleID")]
    pub sale_id: String,
    #[serde(rename = "POIID")]
    pub poi_id: String,
}

/// What a lane sends: exactly one body beside the header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    pub message_header: Header,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_request: Option<LoginRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_request: Option<PaymentRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversal_request: Option<ReversalRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_status_request: Option<StatusRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_request: Option<AbortRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_request: Option<DisplayRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub print_request: Option<PrintRequest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    pub message_header: Header,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_response: Option<Plain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_response: Option<PaymentResponse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_response: Option<Plain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_status_response: Option<StatusResponse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_response: Option<Outputs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print_response: Option<Plain>,
}

/// What stands on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    #[serde(rename = "SaleToPOIRequest")]
    Request(Box<Request>),
    #[serde(rename = "SaleToPOIResponse")]
    Answer(Box<Answer>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoginRequest {
    pub date_time: String,
    pub operator_language: String,
    pub sale_software: SaleSoftware,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SaleSoftware {
    #[serde(rename = "ManufacturerID")]
    pub manufacturer_id: String,
    pub application_name: String,
    pub software_version: String,
    pub certification_code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionId {
    #[serde(rename = "TransactionID")]
    pub transaction_id: String,
    pub time_stamp: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SaleData {
    #[serde(rename = "SaleTransactionID")]
    pub sale_transaction_id: TransactionId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentRequest {
    pub sale_data: SaleData,
    pub payment_transaction: PaymentTransaction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_data: Option<PaymentData>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentTransaction {
    pub amounts_req: AmountsReq,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AmountsReq {
    pub currency: String,
    pub requested_amount: serde_json::Number,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentData {
    /// `Normal` or `Refund`.
    pub payment_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReversalRequest {
    #[serde(rename = "OriginalPOITransaction")]
    pub original_poi_transaction: OriginalPoiTransaction,
    pub reversal_reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OriginalPoiTransaction {
    #[serde(rename = "POITransactionID")]
    pub poi_transaction_id: TransactionId,
}

/// Names an earlier question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageReference {
    pub message_category: String,
    #[serde(rename = "SaleID")]
    pub sale_id: String,
    #[serde(rename = "ServiceID")]
    pub service_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusRequest {
    pub message_reference: MessageReference,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AbortRequest {
    pub message_reference: MessageReference,
    pub abort_reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisplayRequest {
    pub display_output: Vec<Output>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrintRequest {
    pub print_output: Output,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info_qualify: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_qualifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_mode: Option<String>,
    pub output_content: OutputContent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputContent {
    pub output_format: String,
    pub output_text: Vec<OutputText>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputText {
    pub text: String,
}

/// Whether something worked: `Success`, `Partial` or `Failure`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    pub result: String,
    /// Such as `Refusal`, `NotFound`, `InProgress`, `Cancel`, `UnreachableHost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_response: Option<String>,
}

/// An answer that says no more than whether it worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Plain {
    pub response: Response,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outputs {
    pub output_result: Vec<Plain>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentResponse {
    pub response: Response,
    #[serde(rename = "POIData", default, skip_serializing_if = "Option::is_none")]
    pub poi_data: Option<PoiData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_result: Option<PaymentResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PoiData {
    #[serde(rename = "POITransactionID")]
    pub poi_transaction_id: TransactionId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentResult {
    pub amounts_resp: AmountsResp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_instrument_data: Option<InstrumentData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_acquirer_data: Option<AcquirerData>,
    /// Whether the acquirer was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_flag: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AmountsResp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    pub authorized_amount: serde_json::Number,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstrumentData {
    pub payment_instrument_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_data: Option<CardData>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CardData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_brand: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_pan: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<PaymentToken>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentToken {
    pub token_value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AcquirerData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusResponse {
    pub response: Response,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated_message_response: Option<Repeated>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Repeated {
    pub message_header: Header,
    pub repeated_response_message_body: RepeatedBody,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RepeatedBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_response: Option<PaymentResponse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_response: Option<Plain>,
}
