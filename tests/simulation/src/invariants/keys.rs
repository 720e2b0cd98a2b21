//! Keys that are renewed.

use crate::{
    fault::{Fault, FaultKind, Service},
    world::World,
};

/// X refuses to renew a key only where the answer to a renewal was lost, or where the table did not take it.
pub(crate) fn a_key_is_lost_with_an_answer_alone(world: &World) {
    let (_, refused) = world.outside.x.renewals();
    let lost = world.known().lost_exchanges;
    let faults = &world.scenario.faults;
    let of_table = |fault: &Fault| fault.kind.is_about(Service::Table);
    let is_troubled = faults.iter().any(|fault| fault.kind != FaultKind::Deaths && of_table(fault));
    if !is_troubled && lost < refused {
        world.broken("a_key_is_lost_with_an_answer_alone", || {
            format!("X has refused {refused} renewals, and {lost} answers to renewals were lost")
        });
    }
}
