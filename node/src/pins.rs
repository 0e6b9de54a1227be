//! PINs: hashed with argon2id when they are set, compared when someone signs in.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use catalog::Employee;
use providers::Random;
use sale::Pin;

/// Parameters of the OWASP password storage cheat sheet: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// The PIN's hash as a PHC string.
pub fn hash(pin: &str, random: &dyn Random) -> String {
    let salt = SaltString::encode_b64(&random.id()).expect("sixteen bytes are a salt");
    argon2()
        .hash_password(pin.as_bytes(), &salt)
        .expect("the parameters are valid")
        .to_string()
}

/// Whether the PIN is the employee's. Takes some 20 ms, right or wrong.
pub fn matches(employee: &Employee, pin: &Pin) -> bool {
    PasswordHash::new(&employee.pin_hash)
        .is_ok_and(|hash| argon2().verify_password(pin.0.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::production::SystemRandom;
    use catalog::{EmployeeId, Role};

    #[test]
    fn only_the_right_pin_matches() {
        let employee = Employee {
            id: EmployeeId::from("101"),
            name: "Ada".to_owned(),
            role: Role::Cashier,
            pin_hash: hash("4711", &SystemRandom),
        };
        assert!(employee.pin_hash.starts_with("$argon2id$"));
        assert!(matches(&employee, &Pin("4711".to_owned())));
        assert!(!matches(&employee, &Pin("4712".to_owned())));
        assert!(!format!("{employee:?}").contains("argon2id"));
    }
}
