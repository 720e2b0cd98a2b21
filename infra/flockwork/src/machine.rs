//! Everything of template.yaml on this machine, short of its schedules: the table, the local services, Slack, the
//! functions and their routes.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
};

use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use flock_aws::Clock;
use flock_store::Store;
use jiff::SignedDuration;
use local_cloud::{
    dispatch::Dispatcher,
    functions::{Around, LocalFunction, StartError},
    gateway::Routes,
    runtime_api::Listener,
    services::{BusEvent, LocalCloud},
    template::{Function, Template},
};
use local_slack::{desk::SlackDesk, sender::SlackSender, workspace::LocalSlack};
use loopback::Token;
use secrecy::SecretString;
use slash_command::SlackSecret;
use tokio::sync::mpsc::UnboundedReceiver;
use tracing_subscriber::EnvFilter;

use crate::{
    connect::{LOCAL_NAME, STRANGERS, open_database},
    data_dir::DataDir,
    functions,
    local_secrets::{self, Lost, SLACK_APP},
    refusal::refuse,
    streams::LOG,
};

/// The table and the services around it.
pub struct Ground {
    /// The table.
    pub store: Store,
    /// The table's database.
    pub database: Database,
    /// How far ahead of the wall its time is.
    pub ahead: SignedDuration,
    cloud: LocalCloud,
    events: UnboundedReceiver<BusEvent>,
    /// The secrets by logical name.
    pub secrets: HashMap<String, String>,
}

/// Everything that runs; it stops when dropped.
#[derive(Debug)]
pub struct Machine {
    /// The services.
    pub cloud: LocalCloud,
    /// The functions and what they are doing.
    pub dispatcher: Dispatcher,
    /// Which requests they answer.
    pub routes: Routes,
    /// What Slack sends them.
    pub sender: SlackSender,
    /// Where other commands reach that.
    pub desk: SlackDesk,
    /// The environment of its functions, if they were programs of their own.
    pub environment: BTreeMap<String, String>,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Ground {
    /// Opens the database in `data_dir` and starts the services. `keyring`: whether it may be a new one.
    pub async fn open(
        data_dir: &DataDir,
        template: &Template,
        keyring: Lost,
    ) -> anyhow::Result<Self> {
        // Secrets after the database: where they are, it is missed.
        let database = open_database(data_dir, template)?;
        let secrets = local_secrets::all(data_dir, template, &database, keyring)?;
        let (cloud, events) = LocalCloud::start_kept(
            database.clone(),
            secrets.clone(),
            data_dir.keep(),
            Token::new(),
            STRANGERS,
        )
        .await?;
        let client = Client::new(&cloud.aws());
        let store = Store::new(client, LOCAL_NAME.to_owned()).with_current_shards().await?;
        let ahead = store.clock_ahead().await?;
        Ok(Self { store, database, ahead, cloud, events, secrets })
    }

    /// Starts `functions`, each with its program if it is one; requests to them come in at `listens`.
    /// `networks_on_loopback`: whether networks may be on this machine.
    pub async fn start(
        self,
        functions: Vec<(Function, Option<PathBuf>)>,
        clock: &Clock,
        listens: SocketAddr,
        networks_on_loopback: bool,
    ) -> anyhow::Result<Machine> {
        let Self { cloud, events, secrets, .. } = self;
        let slack = LocalSlack::start(clock.clone()).await?;
        let app_url = format!("http://{}", reachable(listens));
        let around = Around {
            linked: functions::LINKED,
            cloud: &cloud,
            clock,
            variables: functions::variables(app_url.clone(), slack.api_url(), networks_on_loopback),
            log: EnvFilter::try_from_default_env()
                .ok()
                .map(|filter| (filter.to_string(), LISTENER)),
        };
        let (mut started, mut environment) = (Vec::new(), BTreeMap::new());
        for (function, program) in functions {
            environment.extend(around.environment(&function));
            started
                .push(LocalFunction::start(function, program, &around).await.map_err(not_started)?);
        }
        let dispatcher = Dispatcher::new(started, events);
        let routes = dispatcher.routes();
        let secret = secrets.get(SLACK_APP).map(|text| SecretString::from(text.as_str()));
        let secret = secret.and_then(|text| SlackSecret::parse(&text).ok());
        // Without one, as in a template of somebody's own, the function says so to every request.
        let secret = secret.map_or_else(SecretString::default, |secret| secret.signing_secret);
        let sender = SlackSender::new(slack, app_url, secret);
        let token = cloud.token().clone();
        let desk = SlackDesk::open(sender.clone(), cloud.unhandled(), token).await?;
        Ok(Machine { cloud, dispatcher, routes, sender, desk, environment })
    }
}

/// What programs write goes where the log goes.
const LISTENER: Listener = |text| {
    // Nobody may be listening.
    let _ = LOG.put(text.to_vec());
};

fn not_started(err: StartError) -> anyhow::Error {
    match err {
        StartError::Config(_) | StartError::Unknown(_) => refuse(err.to_string()),
        StartError::Failed(_) => err.into(),
    }
}

/// Where what listens on an address is reached from this machine.
pub(crate) fn reachable(mut listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() {
        listens.set_ip(match listens {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    listens
}
