//! Who is asking. The first argument of every verb, there also when it is nobody.

use std::net::IpAddr;

use crate::{PendingSignUp, SignedIn, limits};

/// Who asks, from where, with what proof.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the request comes from, as far as it can be believed.
    pub address: IpAddr,
    /// What the client calls itself; shown to the person, never compared.
    pub user_agent: String,
    /// The session, if there is one and it is alive.
    pub signed_in: Option<SignedIn>,
    /// The sign-up that this very client began and has not finished.
    pub pending_sign_up: Option<PendingSignUp>,
}

impl Visitor {
    /// Nobody, from somewhere.
    pub fn anonymous(address: IpAddr) -> Self {
        Self { address, user_agent: String::new(), signed_in: None, pending_sign_up: None }
    }

    /// The key of limits by origin.
    pub(crate) fn origin(&self) -> String {
        limits::origin(self.address)
    }
}
