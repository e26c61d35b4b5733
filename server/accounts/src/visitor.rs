//! Who is asking. The first argument of every verb, there also when it is nobody.

use std::net::IpAddr;

use contract::Refusal;
use uuid::Uuid;

use crate::client_network::ClientNetwork;
use crate::{PendingSignUp, Result, SignedIn};

/// Who asks, from where, with what proof.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the request comes from, as far as it can be believed.
    pub address: IpAddr,
    /// What the client calls itself; shown to the person, never compared.
    pub user_agent: String,
    /// The session, if there is one and it is alive.
    pub signed_in: Option<SignedIn>,
    /// Why the token that was brought is worth nothing. Said where one is needed; elsewhere it does not matter.
    pub refused: Option<Refusal>,
    /// The sign-up that this very client began and has not finished.
    pub pending_sign_up: Option<PendingSignUp>,
    /// What names the browser, if it has signed in before. Made up or not: it is checked where it matters.
    pub device: Option<String>,
    /// What this client was given when it asked for a new password.
    pub reset_request: Option<String>,
}

impl Visitor {
    /// Nobody, from somewhere.
    pub fn anonymous(address: IpAddr) -> Self {
        Self {
            address,
            user_agent: String::new(),
            signed_in: None,
            refused: None,
            pending_sign_up: None,
            device: None,
            reset_request: None,
        }
    }

    /// Who is signed in, for verbs that are for them alone.
    pub fn session(&self) -> Result<&SignedIn> {
        self.signed_in.as_ref().ok_or_else(|| self.refused.unwrap_or(Refusal::NotAuthenticated).into())
    }

    /// The accounts that this client has made or is signed in to.
    pub(crate) fn account_ids(&self) -> impl Iterator<Item = Uuid> {
        let signed_in = self.signed_in.as_ref().map(|signed_in| signed_in.user.id);
        signed_in.into_iter().chain(self.pending_sign_up.as_ref().map(PendingSignUp::user_id))
    }

    /// The address that this client has signed up with, or is signed in with and has not proven.
    pub fn own_email(&self) -> Option<&str> {
        let signed_in = self.signed_in.as_ref().filter(|signed_in| !signed_in.user.email_verified);
        let pending = self.pending_sign_up.as_ref().map(|pending| pending.email.as_str());
        signed_in.map(|signed_in| signed_in.user.email.as_str()).or(pending)
    }

    /// What limits and the queue of password hashes go by.
    pub(crate) fn network(&self) -> ClientNetwork {
        ClientNetwork::of(self.address)
    }
}
