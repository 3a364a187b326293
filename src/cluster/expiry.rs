//! Until when certificates are valid.

use std::time::SystemTime;

use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Until when a certificate is valid; `None` for what can't be read.
pub(crate) fn not_after(der: &[u8]) -> Option<SystemTime> {
    let certificate = Certificate::from_der(der).ok()?;
    let since = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_of_its_notations() {
        // Up to 2049 years have two digits.
        for (year, days) in [(2001, 11_323), (2035, 23_741), (2055, 31_046)] {
            let mut parameters = CertificateParams::new(["a".to_owned()]).unwrap();
            parameters.not_after = date_time_ymd(year, 1, 1);
            let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400);
            assert_eq!(not_after(certificate.der()), Some(expected), "{year}");
        }
        assert_eq!(not_after(b"no certificate"), None);
    }
}
