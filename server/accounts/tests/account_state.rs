//! Accounts that are disabled and enabled again, on both engines.

mod support;

use support::*;

on_both_engines! {
    async fn disabling_an_account_ends_its_letters_whatever_they_are_for(world: World) {
        world.person("grace@example.com").await;
        world.sign_up("ada@example.com").await;
        // A letter of a later version of the program: nobody keeps a list of what there may be.
        world.run("UPDATE one_time_tokens SET purpose = 'of_tomorrow' WHERE consumed_at IS NULL").await;
        let alive = "SELECT count(*) FROM one_time_tokens WHERE consumed_at IS NULL AND superseded_at IS NULL";
        assert_eq!(world.count(alive.into()).await, 1);
        world.accounts.disable("grace@example.com").await.expect("disabled");
        assert_eq!(world.count(alive.into()).await, 1, "those of others go on");
        world.accounts.disable("ada@example.com").await.expect("disabled");
        assert_eq!(world.count(alive.into()).await, 0);
        world.accounts.enable("ada@example.com").await.expect("enabled");
        assert_eq!(world.count(alive.into()).await, 0);
    }
}
