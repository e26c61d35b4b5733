//! What memory holds on to, and what makes it forget.

use super::*;
use crate::User;

fn someone(number: u128, now: DateTime<Utc>) -> SignedIn {
    let user = User {
        id: Uuid::from_u128(number),
        email: "ada@example.com".to_owned(),
        email_verified: true,
        first_name: String::new(),
        last_name: String::new(),
        user_type: "guest".to_owned(),
        phone: None,
        locale: "en".to_owned(),
        created_at: now,
        updated_at: now,
    };
    SignedIn { user, session_id: Uuid::from_u128(2), auth_time: now, remember: false }
}

struct Memory {
    live: LiveSessions,
    clock: Clock,
}

impl Memory {
    fn with_room_for(sessions: usize) -> Self {
        let clock = Clock::manual();
        let live = LiveSessions::with_room_for(sessions, clock.clone());
        live.hear(live.next_round(), &[]);
        Self { live, clock }
    }

    fn hear(&self, news: &[(Uuid, Uuid)]) {
        self.live.hear(self.live.next_round(), news);
    }

    fn keep(&self, signed_in: &SignedIn) {
        let until = self.clock.now() + TimeDelta::days(1);
        self.live.keep(self.live.generation(signed_in.user.id), signed_in, until);
    }

    fn knows(&self, signed_in: &SignedIn) -> bool {
        self.live.get(signed_in.user.id, signed_in.session_id).is_some()
    }

    fn sessions(&self) -> usize {
        self.live.parts.iter().map(|part| lock(part).sessions()).sum()
    }
}

#[test]
fn what_was_read_before_something_was_forgotten_is_not_kept() {
    let memory = Memory::with_room_for(1000);
    let ada = someone(1, memory.clock.now());
    let (user, until) = (ada.user.id, memory.clock.now() + TimeDelta::days(1));
    let before = memory.live.generation(user);
    memory.live.forget(user);
    memory.live.keep(before, &ada, until);
    assert!(!memory.knows(&ada));
    memory.keep(&ada);
    assert!(memory.knows(&ada));
    let before = memory.live.generation(user);
    memory.hear(&[(Uuid::from_u128(9), user)]);
    memory.live.keep(before, &ada, until);
    assert!(!memory.knows(&ada));
}

#[test]
fn a_change_of_one_person_does_not_spoil_what_is_read_of_others() {
    let memory = Memory::with_room_for(1000);
    let (ada, until) = (someone(1, memory.clock.now()), memory.clock.now() + TimeDelta::days(1));
    let before = memory.live.generation(ada.user.id);
    memory.live.forget(Uuid::from_u128(2));
    memory.live.keep(before, &ada, until);
    assert!(memory.knows(&ada));
}

#[test]
fn a_clock_that_jumps_makes_everything_forgotten() {
    let memory = Memory::with_room_for(1000);
    let ada = someone(1, memory.clock.now());
    memory.keep(&ada);
    memory.clock.advance(TimeDelta::seconds(1));
    memory.hear(&[]);
    assert!(memory.knows(&ada));
    memory.clock.advance(TimeDelta::seconds(-60));
    memory.hear(&[]);
    assert!(!memory.knows(&ada));
}

#[test]
fn a_full_memory_forgets_one_by_one_whoever_was_not_asked_for_the_longest() {
    // Two for each part; people 64 apart share one.
    let memory = Memory::with_room_for(2 * PARTS);
    let [one, two, three] = [1, 65, 129].map(|number| someone(number, memory.clock.now()));
    let elsewhere = someone(7, memory.clock.now());
    for person in [&elsewhere, &one, &two] {
        memory.keep(person);
    }
    assert!(memory.knows(&one), "asked for after the other");
    memory.keep(&three);
    assert_eq!([&one, &two, &three, &elsewhere].map(|person| memory.knows(person)), [true, false, true, true]);
}

#[test]
fn however_many_sessions_are_read_no_more_than_the_room_are_remembered() {
    let memory = Memory::with_room_for(10 * PARTS);
    for number in 0..5_000 {
        memory.keep(&someone(number, memory.clock.now()));
        assert!(memory.sessions() <= 10 * PARTS);
    }
    assert_eq!(memory.sessions(), 10 * PARTS, "full, not emptied");
}

#[test]
fn what_has_expired_or_is_not_asked_for_takes_no_room() {
    let memory = Memory::with_room_for(1000);
    let (ada, bob) = (someone(1, memory.clock.now()), someone(3, memory.clock.now()));
    let soon = memory.clock.now() + TimeDelta::seconds(1);
    memory.live.keep(memory.live.generation(ada.user.id), &ada, soon);
    memory.keep(&bob);
    memory.clock.advance(TimeDelta::seconds(1));
    assert!(!memory.knows(&ada));
    assert_eq!(memory.sessions(), 1, "an expired session goes when it is asked for");
    // News twice a minute would be too few to be believed; that they come is all that counts here.
    for _ in 0..3_700 {
        memory.clock.advance(TimeDelta::seconds(1));
        memory.hear(&[]);
    }
    assert_eq!(memory.sessions(), 0, "whoever is not asked for goes after an hour");
}
