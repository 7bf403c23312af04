//! The usual set-up: a Herald, a simulated provider, and a department.

use super::{Channel, Department, Herald};
use herald_simulators::{Options, Simulator};
use serde_json::Value;

/// What most scenarios begin with.
pub struct World {
    pub herald: Herald,
    pub simulator: Simulator,
    pub sales: Department,
}

impl World {
    /// With the usual settings.
    pub async fn new() -> Self {
        Self::with(Herald::start().await).await
    }

    /// With this Herald.
    pub async fn with(herald: Herald) -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let sales = Department::new(&herald, "Sales").await;
        Self { herald, simulator, sales }
    }

    /// A channel of the department with non-ticket messages switched on.
    pub async fn channel(&self, protocol: &str, identifier: &str) -> Channel {
        self.sales.channel(&self.simulator, protocol, identifier, true).await
    }

    /// The same with more fields of the request.
    pub async fn channel_with(&self, protocol: &str, identifier: &str, more: Value) -> Channel {
        self.sales.channel_with(&self.simulator, protocol, identifier, more).await
    }

    /// The ids of the messages that the provider was called with, in order.
    pub fn called(&self) -> Vec<String> {
        self.simulator.calls().iter().map(|call| call.client_reference.to_string()).collect()
    }
}
