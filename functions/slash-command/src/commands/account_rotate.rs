//! `account rotate`: the keys of all accounts, sealed anew.

use flock_core::{Need, Usage};
use flock_ops::{Begun, Noted, begin_rotation};

use crate::{
    call::{Answer, Call, announce, refuse},
    command::{Command, Group, Run},
    jobs::how_to_end,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("account rotate")],
    group: Group::System,
    need: Need::Top,
    help: "Seal the keys of all accounts anew, with the current key of the keyring",
    example: "account rotate",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let begun = begin_rotation(call.store(), noted, call.asker(), None, (call.now, None)).await?;
    let job = match begun {
        Begun::New(job) => job,
        Begun::UnderWay(job) => {
            return refuse(format!(
                "The job `{}` seals the keys of all accounts anew right now; {}.",
                job.id,
                how_to_end(&job.id)
            ));
        }
    };
    call.hurry_job(&job.id).await;
    announce(format!(
        "Sealing the keys of all accounts anew with the current key of the keyring, as job `{}`. I tell you here when it is done; \
         {}. A new key is put into the keyring by {}.",
        job.id,
        how_to_end(&job.id),
        call.operator()
    ))
}
