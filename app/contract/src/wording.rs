//! The one table from code to sentence. Pages, islands and the API all speak from here.

use crate::rules::SignUpRules;
use crate::{Fault, Field, Refusal};

/// What is wrong with a field, told to the person who filled it.
pub fn fault(field: Field, fault: Fault, rules: &SignUpRules) -> String {
    let text = match (field, fault) {
        (Field::UserType, Fault::NotOffered) => {
            return format!("Choose what the account is for: {}", rules.user_types.join(" or "));
        }
        (_, Fault::ReadOnly) => "This cannot be changed here. Leave it out, or send it as it is",
        (Field::Email, fault) => return of_email(fault, rules),
        (Field::Password | Field::NewPassword, fault) => return of_new_password(fault, rules),
        (Field::CurrentPassword | Field::OldPassword, Fault::Missing) => "Enter your password",
        (Field::OldPassword, _) => "This is not your present password. Check it, then try again",
        (Field::CurrentPassword, _) => "This is not the password chosen at sign-up. Check it, or set a new one",
        (Field::PasswordConfirm, Fault::Missing) => "Enter the password again",
        (Field::PasswordConfirm, _) => TWO_PASSWORDS,
        (Field::FirstName, Fault::Missing) => "Enter your first name",
        (Field::FirstName, Fault::TooLong) => "First name must be 100 characters or fewer",
        (Field::FirstName, _) => "First name must not contain invisible characters",
        (Field::LastName, Fault::Missing) => "Enter your last name",
        (Field::LastName, Fault::TooLong) => "Last name must be 100 characters or fewer",
        (Field::LastName, _) => "Last name must not contain invisible characters",
        (Field::UserType, _) => "Choose what the account is for",
        (Field::Phone, Fault::Missing) => "Enter your phone number",
        (Field::Phone, Fault::NoCountryCode) => "Start with + and the country code, like +44 20 7946 0018",
        (Field::Phone, _) => {
            "Enter a phone number in international format, like +44 20 7946 0018, with 15 digits or fewer"
        }
        (Field::Terms, Fault::Missing) => "Select that you agree to the terms to create an account",
        (Field::Terms, _) => "The terms have changed. Read them again, then agree",
        (Field::Code, Fault::Missing) => "Enter the 6-digit code",
        (Field::Code, Fault::Malformed) => "Code must be 6 digits",
        (Field::Code, Fault::Exhausted) => "You have entered a wrong code too many times. Send a new code",
        (Field::Code, _) => "The code is not correct or has expired. Check it, or send a new code",
        (Field::Refresh, Fault::Mismatch) => "The body and the cookie name different sessions. Send one of them",
        (Field::Refresh, _) => "Send the refresh token of the last answer",
        (Field::AccessToken, _) => "Send the access token",
        (Field::Locale, _) => "Enter a language as a short code, like en or pt-BR",
        (Field::Id, _) => "This names someone else",
        (Field::Token, Fault::Missing) => "Open the link in the email, or enter the code",
        (Field::Token, _) => "This link does not work. Copy the whole link from the email, or ask for a new one",
    };
    text.to_owned()
}

const TWO_PASSWORDS: &str = "The two passwords are not the same";

fn of_email(fault: Fault, rules: &SignUpRules) -> String {
    let text = match fault {
        Fault::DomainNotAllowed => {
            return format!("Use an email address that ends in {}", rules.email_domains.join(" or "));
        }
        Fault::Missing => "Enter your email address",
        Fault::TooLong => "Email address must be 254 characters or fewer",
        Fault::Invisible => "Email address must not contain invisible characters. Type it, instead of pasting it",
        _ => "Enter an email address in the correct format, like name@example.com",
    };
    text.to_owned()
}

fn of_new_password(fault: Fault, rules: &SignUpRules) -> String {
    let text = match fault {
        Fault::TooShort => return format!("Password must be {} characters or more", rules.password_min_length),
        Fault::ContainsSiteName => return format!("Password must not contain the name {}", rules.site_name),
        Fault::Missing => "Enter a password",
        Fault::TooLong => "Password must be 1,024 characters or fewer",
        Fault::TooCommon => "This password is widely used or easy to guess. Choose a different one",
        Fault::ContainsEmail => "Password must not contain your email address",
        Fault::Unchanged => "You are already using this password. Choose a different one",
        Fault::Mismatch => TWO_PASSWORDS,
        _ => "Password must not contain the character NUL",
    };
    text.to_owned()
}

/// A policy's no, told to a person or a program.
pub fn refusal(refusal: Refusal) -> String {
    let text = match refusal {
        Refusal::RateLimited { retry_after } => {
            return format!("You have tried too many times. Wait {}, then try again", duration(retry_after));
        }
        Refusal::InvalidCredentials => "Email address or password is not correct",
        Refusal::EmailNotVerified => "Confirm your email address first. Look for our email, or ask for a new one",
        Refusal::EmailTaken => "There is an account with this email address already. Sign in",
        Refusal::TokenInvalid => "This link does not work. Copy the whole link from the email, or ask for a new one",
        Refusal::TokenExpired => "This link has expired. Ask for a new one",
        Refusal::PasswordRequired => "Enter the password chosen at sign-up, or set a new one",
        Refusal::RegistrationClosed => "Sign-ups are closed",
        Refusal::NotAuthenticated => "Sign in first",
        Refusal::SessionInvalid => "This sign-in has ended. Sign in again",
        Refusal::SessionExpired => "This sign-in is too old. Renew it, or sign in again",
        Refusal::Overloaded { .. } => "The service is busy. Wait a moment, then try again",
        Refusal::Unavailable { .. } => "The service is not available at the moment. Wait a moment, then try again",
        Refusal::CrossOrigin => "This form was sent from another site. Open the page here and send it again",
        Refusal::NotFound => "There is nothing at this address",
        Refusal::MethodNotAllowed => "This address does not take that method",
        Refusal::TooLarge => "The request is too large",
        Refusal::UnsupportedMediaType => "Send JSON, with the content type application/json",
        Refusal::MalformedRequest => "The body must be one JSON object, each key once, with text as values",
        Refusal::CookiesBlocked => {
            "This browser does not keep cookies of this site, and cannot stay signed in without them. Allow them in its settings, then try again"
        }
    };
    text.to_owned()
}

/// The same on a page, to whoever sent a form: there nobody has heard of bodies and methods.
pub fn refusal_of_form(refused: Refusal) -> String {
    let text = match refused {
        Refusal::MalformedRequest => "The form did not arrive as it should. Open the page and send it again",
        Refusal::UnsupportedMediaType => "A form must be sent as a form. Open the page and send it again",
        Refusal::MethodNotAllowed => "This address takes no such request. Open the page and go on from there",
        Refusal::TooLarge => "What was sent is too long. Make it shorter, then send it again",
        other => return refusal(other),
    };
    text.to_owned()
}

/// The head of a fault envelope when single fields are to be corrected.
pub const VALIDATION_FAILED: &str = "Some fields must be corrected";

/// What anyone is told when something broke.
pub const INTERNAL: &str = "There is a problem with the service. Try again later";

/// A wait in words, rounded up.
pub fn duration(seconds: u32) -> String {
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        91..=5400 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_every_field_has_a_sentence() {
        for field in Field::ALL {
            for kind in Fault::ALL {
                let text = fault(*field, *kind, &SignUpRules::default());
                assert!(text.len() > 10 && !text.ends_with('.'), "{field:?} {kind:?}: {text}");
            }
        }
    }

    #[test]
    fn a_page_never_speaks_as_to_a_program() {
        for refused in [
            Refusal::MalformedRequest,
            Refusal::UnsupportedMediaType,
            Refusal::MethodNotAllowed,
            Refusal::TooLarge,
            Refusal::CookiesBlocked,
        ] {
            let text = refusal_of_form(refused);
            for word in ["JSON", "body", "object", "method", "content type"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }

    #[test]
    fn no_sentence_uses_words_we_do_not_say() {
        // Nobody but a program sends these two.
        let of_people = Field::ALL.iter().filter(|field| !matches!(field, Field::Refresh | Field::AccessToken));
        for field in of_people {
            for kind in Fault::ALL {
                let text = fault(*field, *kind, &SignUpRules::default()).to_lowercase();
                for word in ["please", "sorry", "oops", "invalid", "forbidden", "log in", "register", "token", "otp"] {
                    assert!(!text.contains(word), "{text}");
                }
            }
        }
    }
}
