//! One page, one file: the component and the server functions its forms post to.

pub mod accessibility;
pub mod account;
pub mod account_password;
pub mod account_sessions;
pub mod api_docs;
pub mod error;
pub mod help;
pub mod home;
pub mod login;
pub mod logout;
pub mod mailbox;
pub mod password_reset;
pub mod register;
pub mod theme;
pub mod verify_email;

use leptos::server_fn::axum::register_explicit;

/// Makes the server functions known. Said in one place, because a linker may drop what nobody names.
pub fn register_server_functions() {
    register_explicit::<register::SignUp>();
    register_explicit::<verify_email::ConfirmEmail>();
    register_explicit::<verify_email::ResendConfirmation>();
    register_explicit::<login::SignIn>();
    register_explicit::<logout::SignOut>();
    register_explicit::<password_reset::AskPasswordReset>();
    register_explicit::<password_reset::ResetPassword>();
    register_explicit::<account_password::ChangePassword>();
    register_explicit::<account_sessions::EndDevice>();
    register_explicit::<account_sessions::EndOtherDevices>();
    register_explicit::<theme::ChooseTheme>();
}
