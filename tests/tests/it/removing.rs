//! Accounts that are removed: whoever dies over it, and whoever adds them again at the same time.

use aws_sdk_dynamodb::config::{Builder, retry::RetryConfig};
use flock_core::{AccountId, Network};
use flock_store::{AccountItem, Store, Stored};
use flock_tests::{CrashPlan, CrashProxy, Cut};
use flockwork::connect::LOCAL_NAME;

use crate::world::{World, mastodon_account};

/// A table that is reached through a proxy, and an account as one is stored.
async fn begin() -> (World, CrashProxy, Store, AccountItem) {
    let world = World::start().await;
    world.sheep("iris", Network::Mastodon, 1).await;
    let account = world.store.account(&mastodon_account("iris")).await.unwrap().unwrap();
    let plan = CrashPlan::new(Cut::Never);
    let proxy = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &plan).await;
    let dynamodb = Builder::from(&world.cloud.aws()).endpoint_url(proxy.url());
    let dynamodb = dynamodb.retry_config(RetryConfig::disabled()).build();
    let client = aws_sdk_dynamodb::Client::from_conf(dynamodb);
    (world, proxy, Store::new(client, LOCAL_NAME.to_owned()), account)
}

/// Whether the account is there, wholly: in the list, and its user kept from a second name.
async fn is_there(world: &World, id: &AccountId, item: &AccountItem, at: &str) -> bool {
    let is_there = world.store.newest_account(id).await.unwrap().is_some();
    assert_eq!(world.store.accounts().await.unwrap().contains(id), is_there, "{at}: the list");
    let second: AccountId = format!("mastodon:second@{at}.example").parse().unwrap();
    let created = world.store.create_account(&second, item.clone()).await.unwrap();
    assert_eq!(created == Stored::TakenBy(id.clone()), is_there, "{at}: {created:?}");
    is_there
}

#[tokio::test]
async fn a_removal_that_dies_anywhere_leaves_all_or_nothing() {
    let (world, proxy, store, account) = begin().await;
    let mut left = [0, 0];
    for (place, cut) in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]).enumerate() {
        let id: AccountId = format!("mastodon:iris@name-{place}.example").parse().unwrap();
        let item = AccountItem { remote_user: format!("user-{place}"), ..account.clone() };
        assert_eq!(world.store.create_account(&id, item.clone()).await.unwrap(), Stored::Done);
        let plan = CrashPlan::new(cut);
        proxy.follow(&plan);
        tokio::select! {
            () = plan.reached() => {}
            removed = store.remove_account(&id) => removed.unwrap(),
        }
        let is_there = is_there(&world, &id, &item, &format!("name-{place}")).await;
        left[usize::from(is_there)] += 1;
        // Whoever died, the next removes what is left.
        world.store.remove_account(&id).await.unwrap();
        assert!(!world.store.accounts().await.unwrap().contains(&id));
        if plan.cut_at().is_none() {
            assert!(!is_there);
            break;
        }
    }
    assert!(left.iter().all(|left| 0 < *left), "{left:?}");
}

#[tokio::test]
async fn what_is_added_again_while_it_is_removed_is_whole() {
    let (world, proxy, store, account) = begin().await;
    for place in 0.. {
        let id: AccountId = format!("mastodon:iris@name-{place}.example").parse().unwrap();
        let item = AccountItem { remote_user: format!("user-{place}"), ..account.clone() };
        assert_eq!(world.store.create_account(&id, item.clone()).await.unwrap(), Stored::Done);
        let plan = CrashPlan::new(Cut::Hold(place));
        proxy.follow(&plan);
        let removing = store.remove_account(&id);
        tokio::pin!(removing);
        let was_held = tokio::select! {
            () = plan.reached() => true,
            removed = &mut removing => {
                removed.unwrap();
                false
            }
        };
        // Somebody else removes it, and connects it again with another key.
        world.store.remove_account(&id).await.unwrap();
        let again = AccountItem { sealed_key: format!("{}again", item.sealed_key), ..item.clone() };
        assert_eq!(world.store.create_account(&id, again.clone()).await.unwrap(), Stored::Done);
        plan.release();
        if was_held {
            removing.await.unwrap();
        }
        let is_there = is_there(&world, &id, &again, &format!("name-{place}")).await;
        if !was_held {
            assert!(is_there, "nothing was held any more");
            break;
        }
    }
}
