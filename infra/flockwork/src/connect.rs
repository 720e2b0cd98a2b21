//! Reaches the table: the local one, served by this process or by a running `flockwork run`, or a
//! deployed one.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::Context as _;
use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use flock_aws::{Clock, SdkConfig};
use flock_store::Store;
use local_cloud::{services::LocalCloud, table, template::Template};
use loopback::Token;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    cli::Place,
    data_dir::{DataDir, Endpoint, Hold},
    deployed,
    files::{self, Unreadable, WRITTEN_BY_HAND},
    local_secrets::{self, Lost},
    refusal::refuse,
};

/// The name of the local table and bus.
pub const LOCAL_NAME: &str = "flockwork";

/// What is told to those who ask AWS on this machine without its credentials.
pub const STRANGERS: &str = "this is the AWS of a flockwork run; it answers programs with the credentials that \
                             `flockwork env` prints, by the name 127.0.0.1";

/// The template this program was built with, for use outside its source tree.
const BUILT_IN_TEMPLATE: &str = include_str!("../../../template.yaml");

/// A table that can be worked with, and the time it lives in.
pub struct Connection {
    /// The table.
    pub store: Store,
    /// The time: the local run's may be ahead of the wall.
    pub clock: Clock,
    /// Its AWS.
    pub aws: SdkConfig,
    /// How a command begins that is about the same place.
    pub program: String,
    /// Whether it is a deployed one.
    pub is_deployed: bool,
    /// Whether something posts there, as far as can be known without a look: a `flockwork run` is up, or it is deployed.
    pub is_at_work: bool,
    /// The local data directory, when this process holds it.
    pub data_dir: Option<DataDir>,
    /// Its secrets by logical name, as they were when this began; empty when another process holds it.
    pub secrets: HashMap<String, String>,
    // Stops the local services when dropped.
    _cloud: Option<LocalCloud>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Connection {
    /// To the deployed table behind `store`.
    pub(crate) fn deployed(place: &Place, aws: SdkConfig, store: Store) -> Self {
        Self {
            store,
            clock: Clock::wall(),
            aws,
            program: place.command(),
            is_deployed: true,
            is_at_work: true,
            data_dir: None,
            secrets: HashMap::new(),
            _cloud: None,
        }
    }
}

/// Connects to what `place` names. Locally the table is made when there is none.
pub async fn connect(place: &Place) -> anyhow::Result<Connection> {
    if let Some(table) = &place.table {
        let aws = flock_aws::load().await;
        let store = deployed::table(&aws, table).await?;
        return Ok(Connection::deployed(place, aws, store));
    }
    let template = read_template(place)?;
    let mut secrets = HashMap::new();
    let (cloud, data_dir, aws) = match DataDir::hold(&place.data).await? {
        Hold::Running(endpoint) => {
            let answers = Box::pin(check_answers(&place.data, &endpoint)).await;
            if answers.is_err() && DataDir::has_ended(&place.data, &endpoint).await {
                return Box::pin(connect(place)).await;
            }
            answers?;
            let Endpoint { dynamodb, services, token, .. } = endpoint;
            (None, None, flock_aws::local(dynamodb, services, token.secret()))
        }
        Hold::Ours(data_dir) => {
            // Secrets after the database: where they are, it is missed.
            let database = open_database(&data_dir, &template)?;
            secrets = local_secrets::all(&data_dir, &template, &database, Lost::Refused)?;
            let (cloud, _) = LocalCloud::start_kept(
                database,
                secrets.clone(),
                data_dir.keep(),
                Token::new(),
                STRANGERS,
            )
            .await?;
            let aws = cloud.aws();
            (Some(cloud), Some(data_dir), aws)
        }
    };
    local(place, aws, data_dir, secrets, cloud).await
}

/// Connects to what `place` names, to look or to change what is there: where nothing is there yet, nothing is made, and an empty
/// table in memory stands for it.
pub async fn look(place: &Place) -> anyhow::Result<Connection> {
    if place.table.is_some() || DataDir::is_begun(&place.data) {
        return connect(place).await;
    }
    let template = read_template(place)?;
    let database = Database::memory().context("cannot open a database in memory")?;
    table::ensure(&database, LOCAL_NAME, &template.table)?;
    let (cloud, _) = LocalCloud::start(database, HashMap::new(), Token::new(), STRANGERS).await?;
    local(place, cloud.aws(), None, HashMap::new(), Some(cloud)).await
}

/// The local table behind `aws`.
async fn local(
    place: &Place,
    aws: SdkConfig,
    data_dir: Option<DataDir>,
    secrets: HashMap<String, String>,
    cloud: Option<LocalCloud>,
) -> anyhow::Result<Connection> {
    let client = Client::new(&aws);
    let store = Store::new(client, LOCAL_NAME.to_owned()).with_current_shards().await?;
    let clock = Clock::ahead(store.clock_ahead().await?);
    Ok(Connection {
        store,
        clock,
        aws,
        program: place.command(),
        is_deployed: false,
        // Who serves it is us, or a run.
        is_at_work: cloud.is_none(),
        data_dir,
        secrets,
        _cloud: cloud,
    })
}

/// How long a running `flockwork run` may take to say anything at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses a `flockwork run` that is there and says nothing, before anything is asked that would wait for it.
pub(crate) async fn check_answers(data: &Path, endpoint: &Endpoint) -> anyhow::Result<()> {
    let page = endpoint.page.strip_prefix("http://").unwrap_or(&endpoint.page);
    let answers = async {
        let mut stream = TcpStream::connect(page).await?;
        let request =
            format!("GET /page.css HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        // Whatever it says, it is there.
        stream.read_u8().await
    };
    let why = match tokio::time::timeout(PATIENCE, answers).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(err)) => err.to_string(),
        Err(_) => format!("nothing comes within {} s", PATIENCE.as_secs()),
    };
    Err(refuse(format!(
        "the `flockwork run` that has {} does not answer at {}: {why}. If it is stopped, let it go on (`fg`, or \
         `kill -CONT` and its process id); otherwise end it, start it again and give the command again",
        data.display(),
        endpoint.page
    )))
}

/// Reads the template that `place` names; when it names none and there is none here, the built-in one.
pub fn read_template(place: &Place) -> anyhow::Result<Template> {
    let path = place.template();
    let text = match files::read_text(path, WRITTEN_BY_HAND) {
        Ok(text) => text,
        Err(Unreadable::Missing) if place.template.is_none() => BUILT_IN_TEMPLATE.to_owned(),
        Err(err) => return Err(refuse(format!("cannot read {}: it {err}", path.display()))),
    };
    Template::parse(&text).map_err(|err| {
        let name = path.display();
        let lines: Vec<_> = err
            .findings()
            .iter()
            .map(|finding| format!("{name}:{}: {}", finding.line, finding.text))
            .collect();
        refuse(lines.join("\n"))
    })
}

/// Opens the database file, unless it is damaged or has lost what it held. Where there is none it is made, with the table:
/// it is there whole, or not at all.
pub fn open_database(data_dir: &DataDir, template: &Template) -> anyhow::Result<Database> {
    check_database(data_dir, template)?;
    let shown = data_dir.database();
    let make = |path: &Path| {
        let database = open(path, &shown)?;
        let made = table::ensure(&database, LOCAL_NAME, &template.table);
        made.map_err(|err| unusable(&shown, &format!("{err:#}")))
    };
    data_dir.make_database(make)?;
    let database = open(&shown, &shown)?;
    table::ensure(&database, LOCAL_NAME, &template.table)
        .context("cannot make the table that template.yaml defines")?;
    Ok(database)
}

/// Refuses a database that is damaged or has lost what it held.
pub(crate) fn check_database(data_dir: &DataDir, template: &Template) -> anyhow::Result<()> {
    let secrets: Vec<_> = template.secrets.iter().map(|secret| &*secret.logical_id).collect();
    data_dir.check_database(&secrets)
}

/// The database at `path`, which people know as `shown`.
fn open(path: &Path, shown: &Path) -> anyhow::Result<Database> {
    let text = path.to_str().ok_or_else(|| {
        refuse(format!("the path {} is not UTF-8; choose another with --data", shown.display()))
    })?;
    Database::new(text).map_err(|err| unusable(shown, &err.to_string()))
}

/// The engine has only `SQLite`'s words for what the disk does.
fn unusable(shown: &Path, err: &str) -> anyhow::Error {
    let why = err.strip_prefix("Internal error: ").unwrap_or(err);
    refuse(format!(
        "cannot write the database {}: {why}; make room where the disk is full, see that the directory can be written, or \
         name another with --data",
        shown.display()
    ))
}
