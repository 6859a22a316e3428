//! The play: what a newcomer is shown, each scene checked.

use std::{fs, path::PathBuf};

use metrics_exporter_prometheus::PrometheusHandle;
use schemas::text::Language;
use tokio::sync::{oneshot, watch};

use super::{Client, House, HouseError, Plan, Staff, scenes};
use crate::{
    authorizations::AuthorizationError,
    gateway::{Addresses, Gateway, GatewayError, ServeError, serve, vocabulary},
    operators::OperatorError,
    platform::{
        clock::Clock,
        config::{self, ConfigFinding, Depth},
    },
};

/// A file that marks a folder as one that a demo may make anew.
const MARK: &str = ".creditgate-demo";

/// Where and how the play is played.
pub struct Stage {
    /// The folder of the house.
    pub folder: PathBuf,
    /// The language of the play.
    pub language: Language,
    /// Ends after the last scene instead of serving on.
    pub once: bool,
    /// The clock.
    pub clock: Clock,
    /// Takes each line.
    pub say: Box<dyn Fn(&str) + Send + Sync>,
}

/// Why the play stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// The papers of the demo cannot be recorded.
    #[error("the papers of the demo")]
    Authorizations(#[from] AuthorizationError),
    /// The configuration of the demo is refused, which is a defect of ours.
    #[error("the demo's configuration is refused at line {}: {}", .0.line, .0.message)]
    Config(ConfigFinding),
    /// The folder holds something that no demo made.
    #[error("{} exists and was not made by a demo; name another with --folder", .0.display())]
    Folder(PathBuf),
    /// The gateway does not open.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The house cannot be built.
    #[error(transparent)]
    House(#[from] HouseError),
    /// The gateway's API did not answer.
    #[error("the gateway's own API")]
    Http(#[from] reqwest::Error),
    /// The folder cannot be made anew.
    #[error("cannot make {}", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
    /// The operators of the demo cannot be made.
    #[error("the operators of the demo")]
    Operators(#[from] OperatorError),
    /// A scene ended otherwise than it should.
    #[error("the scene did not go as told: {0}")]
    Scene(String),
    /// The gateway does not listen.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// What every scene uses.
pub(super) struct Set {
    pub(super) stage: Stage,
    pub(super) house: House,
    pub(super) gateway: Gateway,
    pub(super) staff: Staff,
    pub(super) officer: Client,
}

impl Set {
    /// Says a line in the language of the play.
    pub(super) fn say(&self, zh: &str, en: &str) {
        say(&self.stage, zh, en);
    }

    pub(super) fn client(&self, whose: &secrecy::SecretString) -> Client {
        self.officer.with(whose)
    }
}

fn say(stage: &Stage, zh: &str, en: &str) {
    (stage.say)(match stage.language {
        Language::En => en,
        Language::Zh => zh,
    });
}

/// Builds the house, plays all scenes, and serves on unless it is for once.
/// Tells whether all went as told.
///
/// # Errors
///
/// See [`PlayError`].
pub async fn play(
    stage: Stage,
    metrics: PrometheusHandle,
    mut stop: watch::Receiver<bool>,
) -> Result<bool, PlayError> {
    clear(&stage.folder)?;
    let plan = Plan::new(stage.clock.clone());
    let house = House::build(&stage.folder, &plan).await?;
    let config = config::check(
        &house.config(),
        Depth::Files,
        &vocabulary(),
        stage.clock.now(),
    );
    let config = config.map_err(|mut findings| PlayError::Config(findings.swap_remove(0)))?;
    let gateway = Gateway::open(config, stage.clock.clone(), Some(metrics)).await?;
    Staff::publish_policy(&gateway).await?;
    let staff = Staff::hire(&gateway).await?;
    let (end, ended) = watch::channel(false);
    let (tell, listening) = oneshot::channel();
    let served = gateway.clone();
    let serving = tokio::spawn(async move {
        let listens = |addresses: Addresses| {
            // The play waits for it, unless it stopped already.
            let _ = tell.send(addresses);
        };
        serve(served, ended, listens).await
    });
    let Ok(addresses) = listening.await else {
        return Err(match serving.await {
            Ok(Err(error)) => error.into(),
            _ => PlayError::Scene("the gateway does not listen".to_owned()),
        });
    };
    let officer = Client::new(
        house.authority.certificate_pem(),
        addresses.people,
        staff.officer.1.clone(),
    )?;
    let set = Set {
        stage,
        house,
        gateway,
        staff,
        officer,
    };
    let played = scenes::all(&set).await;
    if let Err(error) = &played {
        set.say(&format!("✗ {error}"), &format!("✗ {error}"));
    }
    if !set.stage.once && played.is_ok() {
        scenes::invite(&set, addresses)?;
        // That nobody can stop it any more is a stop too.
        drop(stop.wait_for(|stop| *stop).await);
    }
    end.send_replace(true);
    match serving.await {
        Ok(result) => result?,
        Err(_) => return Ok(false),
    }
    Ok(played.is_ok())
}

/// Makes the folder empty, if a demo made it.
fn clear(folder: &PathBuf) -> Result<(), PlayError> {
    let io = |error| PlayError::Io(folder.clone(), error);
    if folder.exists() {
        if !folder.join(MARK).exists() {
            return Err(PlayError::Folder(folder.clone()));
        }
        fs::remove_dir_all(folder).map_err(io)?;
    }
    fs::create_dir_all(folder).map_err(io)?;
    fs::write(
        folder.join(MARK),
        "made by creditgate demo; it may be deleted\n",
    )
    .map_err(io)
}
