//! A new password, from someone who knows the present one.

use contract::feedback::FormKind;
use contract::password_change::PasswordChangeForm;
use contract::{Field, Password, paths};
use leptos::prelude::*;

use crate::Failed;
use crate::islands::Feedback;
use crate::page::request;
use crate::parts::account_nav::AccountNav;
use crate::parts::field::{Companion, Kind, NewPasswordField, TextField};
use crate::parts::form::FormState;
use crate::parts::layout::Document;
use crate::request::{Door, Notice, go_to};

/// The form's answer. The form is gone afterwards: by that, browsers notice a new password.
#[server(prefix = "", endpoint = "account/password")]
pub async fn change_password(
    #[server(default)] old_password: Password,
    #[server(default)] new_password: Password,
) -> Result<(), Failed> {
    let door = Door::of_request();
    let form = PasswordChangeForm { old_password, new_password, new_password_confirm: None };
    let session = door.accounts.change_password(&door.visitor, &form).await?;
    door.sign_in(&session).await?;
    door.notify(Notice::PasswordChanged).await?;
    go_to(paths::ACCOUNT);
    Ok(())
}

#[component]
pub fn AccountPassword() -> impl IntoView {
    let request = request();
    let rules = request.site.rules.clone();
    let state = FormState::of(paths::ACCOUNT_PASSWORD);
    request.visitor.signed_in.map(|signed_in| {
        view! {
            <Document title="Change your password" form=paths::ACCOUNT_PASSWORD islands=true>
                <AccountNav/>
                <h1>"Change your password"</h1>
                <p>"This signs out all your other devices."</p>
                <form method="post" action=paths::ACCOUNT_PASSWORD novalidate=true id="change-password">
                    <Companion email=signed_in.user.email/>
                    <TextField
                        field=Field::OldPassword
                        kind=Kind::CurrentPassword
                        label="Current password"
                        secret="current password"
                        state=state.clone()
                    />
                    <NewPasswordField field=Field::NewPassword label="New password" secret="new password" state=state/>
                    <button class="btn" type="submit" data-busy="Changing…">"Change password"</button>
                </form>
                <p class="alone"><a href=paths::PASSWORD_RESET>"I do not know my current password"</a></p>
                <Feedback form="change-password".to_owned() kind=FormKind::PasswordChange rules=rules/>
            </Document>
        }
    })
}
