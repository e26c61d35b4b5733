//! What a browser does before anyone is signed in, on both engines.

mod support;

use accounts::BrowserSession;
use chrono::TimeDelta;
use support::*;

const ID: &[u8] = b"sixteen octets!!";

fn holding(data: &str, world: &World) -> BrowserSession {
    BrowserSession { data: data.to_owned(), expires_at: world.clock.now() + TimeDelta::hours(24) }
}

on_both_engines! {
    async fn what_one_tab_has_ended_no_late_request_of_another_revives(world: World) {
        assert!(world.accounts.create_browser_session(ID, &holding("{}", &world)).await.expect("created"));
        let read_before = holding(r#"{"pending_sign_up":"of somebody"}"#, &world);
        assert!(world.accounts.save_browser_session(ID, &read_before).await.expect("saved"));
        world.accounts.delete_browser_session(ID).await.expect("ended");
        assert!(!world.accounts.save_browser_session(ID, &read_before).await.expect("no error, and nothing saved"));
        assert_eq!(world.accounts.load_browser_session(ID).await.expect("an answer"), None);
        assert_eq!(world.rows("browser_sessions").await, 0);
    }

    async fn what_is_saved_is_found_again_until_it_expires(world: World) {
        assert!(world.accounts.create_browser_session(ID, &holding("{}", &world)).await.expect("created"));
        assert!(!world.accounts.create_browser_session(ID, &holding("{}", &world)).await.expect("the id is taken"));
        let changed = holding(r#"{"notice":"Welcome"}"#, &world);
        assert!(world.accounts.save_browser_session(ID, &changed).await.expect("saved"));
        assert_eq!(world.accounts.load_browser_session(ID).await.expect("found"), Some(changed));
        world.advance(TimeDelta::hours(24));
        assert_eq!(world.accounts.load_browser_session(ID).await.expect("an answer"), None);
    }
}
