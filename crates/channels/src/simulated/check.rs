//! A look at whether the simulator answers, for those who set a channel up. Sends no message.

use super::Simulated;
use crate::{
    contract::CheckLine,
    http::{Address, Call},
};
use herald_rules::ids::MessageId;
use http::{Method, StatusCode};

impl Simulated {
    /// Asks for a message that nobody sent: whatever the answer says of it, somebody answers.
    pub async fn check(&self) -> Vec<CheckLine> {
        let inner = &*self.inner;
        let what = "simulated provider";
        let address = match Address::parse(&format!("{}/{}", inner.by_client_reference, MessageId::new())) {
            Ok(address) => address,
            Err(problem) => return vec![CheckLine::wrong(what, problem)],
        };
        let call = Call {
            method: Method::GET,
            address: &address,
            authorization: Some(&inner.authorization),
            json: None,
            timeout: inner.timeout,
        };
        vec![match inner.client.call(call).await {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                CheckLine::wrong(what, "it answers, and does not know the key")
            }
            Ok(_) => CheckLine::good(what, "it answers, and knows the key"),
            Err(error) => CheckLine::wrong(what, error.to_string()),
        }]
    }
}
