//! What keeps a table beside its items: expiry, recovery and protection. A table that was restored from a backup has none of it (AWS,
//! "`RestoreTableToPointInTime`", 2026-11: "You must manually set up the following on the restored table").

use aws_sdk_dynamodb::{
    Client,
    types::{
        PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, TableDescription,
        TimeToLiveSpecification, TimeToLiveStatus,
    },
};

use crate::deployed::Failure;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// Items go when they are out of date.
    Expiry,
    /// The table can be restored as it was at any second.
    Recovery,
    /// Nobody deletes the table by mistake.
    Protection,
}

/// How one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    On,
    Off,
    /// It cannot be changed now; why.
    Stuck(String),
}

impl Safeguard {
    /// Protection is last: while AWS sees to that it takes no other change of the table.
    pub(crate) const ALL: [Self; 3] = [Self::Expiry, Self::Recovery, Self::Protection];

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Expiry => "expiry of items (TTL)",
            Self::Recovery => "point-in-time recovery",
            Self::Protection => "deletion protection",
        }
    }

    /// What its absence means.
    pub(crate) fn without(self) -> &'static str {
        match self {
            Self::Expiry => "what is out of date stays, and is paid for",
            Self::Recovery => "a mistake cannot be taken back",
            Self::Protection => "the table can be deleted by mistake",
        }
    }

    /// The right that it takes to look at it.
    pub(crate) fn right_to_look(self) -> &'static str {
        match self {
            Self::Expiry => "dynamodb:DescribeTimeToLive",
            Self::Recovery => "dynamodb:DescribeContinuousBackups",
            Self::Protection => "dynamodb:DescribeTable",
        }
    }

    /// The right that it takes to turn it on.
    pub(crate) fn right_to_mend(self) -> &'static str {
        match self {
            Self::Expiry => "dynamodb:UpdateTimeToLive",
            Self::Recovery => "dynamodb:UpdateContinuousBackups",
            Self::Protection => "dynamodb:UpdateTable",
        }
    }

    /// How it is for the table called `table`, whose items are out of date when `ttl` says.
    pub(crate) async fn look(
        self,
        client: &Client,
        table: &str,
        ttl: &str,
        described: Option<&TableDescription>,
    ) -> Result<State, Failure> {
        match self {
            Self::Expiry => {
                let asked = client.describe_time_to_live().table_name(table).send().await;
                let found = asked.map_err(|err| Failure::of(&err))?.time_to_live_description;
                let Some(found) = found else { return Ok(State::Off) };
                let attribute = found.attribute_name.as_deref().unwrap_or_default();
                Ok(match found.time_to_live_status {
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                        if attribute == ttl =>
                    {
                        State::On
                    }
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling) => {
                        State::Stuck(format!(
                            "it goes by `{attribute}`, not by `{ttl}`: turn it off in the console of DynamoDB first, and an hour \
                         later"
                        ))
                    }
                    Some(TimeToLiveStatus::Disabling) => State::Stuck(
                        "AWS is turning it off, which takes up to an hour: then".to_owned(),
                    ),
                    _ => State::Off,
                })
            }
            Self::Recovery => {
                let asked = client.describe_continuous_backups().table_name(table).send().await;
                let found = asked.map_err(|err| Failure::of(&err))?.continuous_backups_description;
                let found = found.and_then(|found| found.point_in_time_recovery_description);
                let status = found.and_then(|found| found.point_in_time_recovery_status);
                let is_on = status == Some(PointInTimeRecoveryStatus::Enabled);
                Ok(if is_on { State::On } else { State::Off })
            }
            Self::Protection => {
                let described = described.ok_or(Failure::Denied)?;
                let is_on = described.deletion_protection_enabled == Some(true);
                Ok(if is_on { State::On } else { State::Off })
            }
        }
    }

    /// Turns it on.
    pub(crate) async fn turn_on(
        self,
        client: &Client,
        table: &str,
        ttl: &str,
    ) -> Result<(), Failure> {
        match self {
            Self::Expiry => {
                let expiry = TimeToLiveSpecification::builder().attribute_name(ttl).enabled(true);
                let expiry = expiry.build().expect("both fields are given");
                let update = client.update_time_to_live().table_name(table);
                let done = update.time_to_live_specification(expiry).send().await;
                done.map(drop).map_err(|err| Failure::of(&err))
            }
            Self::Recovery => {
                let recovery = PointInTimeRecoverySpecification::builder()
                    .point_in_time_recovery_enabled(true)
                    .build()
                    .expect("the field is given");
                let update = client.update_continuous_backups().table_name(table);
                let done = update.point_in_time_recovery_specification(recovery).send().await;
                done.map(drop).map_err(|err| Failure::of(&err))
            }
            Self::Protection => {
                let update = client.update_table().table_name(table);
                let done = update.deletion_protection_enabled(true).send().await;
                done.map(drop).map_err(|err| Failure::of(&err))
            }
        }
    }
}
