//! Lambda and the table around the programs of a benchmark.
//!
//! They run as release builds under a stand-in of Lambda's Runtime API; the table is the embedded DynamoDB, in
//! memory, in this process. Times are the machine's, not AWS's.

use std::{collections::HashMap, fs, path::Path, time::Duration};

use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use flock_store::Store;
use flockwork::connect::{LOCAL_NAME, STRANGERS};
use local_cloud::{
    runtime_api::{FunctionProcess, RuntimeApi},
    services::LocalCloud,
    table,
    template::Template,
};
use loopback::Token;

use crate::measure::root;

/// How long an event may take.
pub(crate) const LENGTH: Duration = Duration::from_mins(2);

/// What the programs talk to.
pub(crate) struct Deployment {
    cloud: LocalCloud,
    pub(crate) store: Store,
}

impl Deployment {
    /// An empty table, and these secrets.
    pub(crate) async fn start(secrets: HashMap<String, String>) -> Self {
        let database = Database::memory().unwrap();
        let template = fs::read_to_string(root().join("template.yaml")).unwrap();
        let template = Template::parse(&template).unwrap();
        table::ensure(&database, LOCAL_NAME, &template.table).unwrap();
        let (cloud, _) =
            LocalCloud::start(database, secrets, Token::new(), STRANGERS).await.unwrap();
        let client = Client::new(&cloud.aws());
        let store = Store::new(client, LOCAL_NAME.to_owned());
        Self { cloud, store }
    }

    /// Starts a program with the environment of a function, and with `more`.
    pub(crate) fn spawn(
        &self,
        runtime: &RuntimeApi,
        program: &Path,
        more: &[(&str, &str)],
    ) -> FunctionProcess {
        let (dynamodb, services) = (self.cloud.dynamodb_url(), self.cloud.services_url());
        let mut env = vec![
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
            ("AWS_ENDPOINT_URL", &services),
            ("AWS_SESSION_TOKEN", self.cloud.token().expose()),
            ("TABLE_NAME", LOCAL_NAME),
            ("BUS_NAME", LOCAL_NAME),
            ("DUE_SHARDS", "1"),
            ("KEYRING_SECRET", "Keyring"),
            ("X_SECRET", "XApp"),
            ("SLACK_SECRET", "Slack"),
            ("RUST_LOG", "warn"),
        ];
        env.extend(more);
        FunctionProcess::spawn(runtime, program, &env).unwrap()
    }
}

/// The resident memory of a process, in MB.
pub(crate) fn resident_mb(process: &FunctionProcess) -> f64 {
    mb(process.resident_kb())
}

/// Kilobytes in MB.
pub(crate) fn mb(kb: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand")]
    let kb = kb as f64;
    kb / 1024.0
}
