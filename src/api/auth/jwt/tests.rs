//! Good JWTs of every algorithm, and malformed and forged ones.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "wim-match";
/// 2027-01-10T12:00:00Z, when the JWTs of openssl were issued.
const NOW: i64 = 1_799_582_400;
/// Modulus of an RSA key whose private half was thrown away, and two JWTs that openssl signed with it.
const MODULUS: &str = "2rGoYlhTAP3P-uVyyoSjOYJxrBkPQGrfEkWxZ62IP5mGq2EXA7h6AYDkdqpf790RRfPHe203w4XR303j5DvHHfzku8oYD9-Rq40f3VqUdoCtF-Hd3TIng-ayt4TvYOqdW3kmShw2-Dq-wURNu7mOfJbL6B6KgFHL8e-QGaWOZlBbhSG-n6Xxc3iO8zvqKMjZA49nhutYIrQKSS-9360Gm2gDyxzmn4CgtGfCI9qneNsdrJ3DsgGch7NkAvXTDthVBDWtz3YnlyUik0XlstEtKWV25ypoFqu-CdrkdsPN8IonEdJcwZmwBBxp4vFzkDeHQ34S5x9-BqoTJKCbLg5Irw";
const RS256: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiJtYXJpYSIsImF1ZCI6IndpbS1tYXRjaCIsImlhdCI6MTc5OTU4MjQwMCwiZXhwIjoxNzk5NTgyNzAwfQ.wuj00Fj-IGjJPOsk_EsefP9JTKNtTj5R6CnaN-W7v1vHKRCFlF_NzKpHGal14EbqhSt_ARp-QCMHTvsPpv837ZxQku6sq1vPCqECpM-KexP2yXWbAmWr6nUbjOvZi2lakP0ESxzDyxTUc2_tfqJHGkKz_SJo4Z6MQk78RPvmhEbpFlQSNNewHFuGggOnyjUBDgvvdQytUjFN4rvngYghci6-Cco5CSyJg5hiaEoB-NCWVvqFg42WxOrAe7fP0FJkrNjg_NjRmAgALP_LeOmEFOYIyZKxNf-0-ADAw759bCxOQtd7NyCg0JdJmVpLXI7Bhf9ENh-MOvslS368qHauQg";
const PS256: &str = "eyJhbGciOiJQUzI1NiIsImtpZCI6InBzcyIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiJtYXJpYSIsImF1ZCI6IndpbS1tYXRjaCIsImlhdCI6MTc5OTU4MjQwMCwiZXhwIjoxNzk5NTgyNzAwfQ.VZxyAETwBN5dnjJ94_kbUZFP5_-BqLNbvOnq6OqpRiGcsNm6qOHMaPRzPDZL7ZxGpNxv_TghATHvZwoRCf9CRUhAdcsCMDszMV-HgMONrGRvcSQbdijc6i7l3Xi-ixYOqzMeiUZwj0f0NihIpgrCR94HyjZtQjrVQtznukuLwDIPgByfq3JaZZa09PwydGZwfIdirP7vay0xSfIsx973mhgJkf5QF2--B6OJ06I9Tsn-JN3p4q4AG0n_mzkyeqydyeM0J334gMKj36DQGCwLKWyjeZm2a-fG2WtkWSUJZH0Tj8lEGOiQOxEibamk07kBsJJ80GPf3PMKzYVWI1V_Qg";

/// Signs as the issuer.
struct Signer {
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    issuer: Issuer,
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random);
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        let ed25519 = Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).expect("a key");
        let p256 = p256.expect("a key");
        let point = p256.public_key().as_ref();
        let keys = json!({"keys": [
            {"kty": "RSA", "kid": "rsa", "n": MODULUS, "e": "AQAB", "use": "sig"},
            {"kty": "RSA", "kid": "pss", "n": MODULUS, "e": "AQAB", "alg": "PS256"},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": text(&point[1..33]), "y": text(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": text(ed25519.public_key().as_ref())},
            {"kty": "EC", "crv": "P-256", "kid": "enc", "use": "enc", "x": text(&point[1..33]), "y": text(&point[33..])},
            {"kty": "RSA", "kid": "wrap", "n": MODULUS, "e": "AQAB", "key_ops": ["wrapKey"]},
            {"kty": "AKP", "kid": "later", "pub": "AA"},
        ]});
        let issuer = Issuer::new(ISSUER, AUDIENCE, keys.to_string().as_bytes()).expect("keys");
        Self { p256, ed25519, issuer }
    }

    fn signed_with(&self, kid: &str, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", text(header), text(claims));
        let signature = match kid {
            "ed" => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            _ => {
                self.p256.sign(&SystemRandom::new(), message.as_bytes()).expect("is signed").as_ref().to_vec()
            }
        };
        format!("{message}.{}", text(signature))
    }

    /// With the key on P-256.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_with("ec", &header.to_string(), &claims.to_string())
    }

    fn verify(&self, jwt: &str) -> Result<String, &'static str> {
        let now = Timestamp::from_second(NOW).expect("a moment");
        let verified = self.issuer.verify(jwt, now)?;
        assert!(now < verified.until, "a JWT that is over is refused");
        Ok(verified.subject)
    }
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "ec", "typ": "JWT"})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "maria", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300})
}

/// An object with some members replaced, or left out where the new one is null.
fn with(mut object: Value, changes: &[(&str, Value)]) -> Value {
    let members = object.as_object_mut().expect("an object");
    for (name, value) in changes {
        match value {
            Value::Null => drop(members.remove(*name)),
            value => drop(members.insert((*name).to_owned(), value.clone())),
        }
    }
    object
}

#[test]
fn every_algorithm_names_its_subject() {
    let signer = Signer::new();
    for jwt in [RS256, PS256] {
        assert_eq!(signer.verify(jwt).as_deref(), Ok("maria"));
    }
    assert_eq!(signer.verify(&signer.signed(&header(), &claims())).as_deref(), Ok("maria"));
    let ed = json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}).to_string();
    assert_eq!(signer.verify(&signer.signed_with("ed", &ed, &claims().to_string())).as_deref(), Ok("maria"));
    let good = [
        with(claims(), &[("aud", json!(["other", AUDIENCE]))]),
        with(claims(), &[("iat", json!(NOW + 29)), ("exp", json!(NOW + 300))]),
        with(claims(), &[("iat", json!(NOW - 300)), ("exp", json!(NOW - 29))]),
        with(claims(), &[("nbf", json!(NOW + 29))]),
        with(claims(), &[("iat", json!(1_799_582_400.25)), ("scope", json!("profile"))]),
        with(claims(), &[("sub", json!("María Ñ".repeat(30)))]),
    ];
    for claims in good {
        signer.verify(&signer.signed(&header(), &claims)).expect("is good");
    }
    let kind = with(header(), &[("typ", json!("application/AT+JWT"))]);
    signer.verify(&signer.signed(&kind, &claims())).expect("is good");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of attacks")]
fn no_malformed_and_no_forged_jwt_is_accepted() {
    let signer = Signer::new();
    let good = signer.signed(&header(), &claims());
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (head, body) = message.split_once('.').expect("three parts");
    let mut bad: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, jwt: String| bad.push((what.to_owned(), jwt));

    // The form.
    for (what, jwt) in [
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("one part", head.to_owned()),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted", format!("{head}.{body}.{body}.{body}.{signature}")),
        ("an empty header", format!(".{body}.{signature}")),
        ("empty claims", format!("{head}..{signature}")),
        ("an empty signature", format!("{message}.")),
        ("a space before", format!(" {good}")),
        ("a line end", format!("{good}\n")),
        ("padding", format!("{good}=")),
        ("padded parts", format!("{}.{}.{signature}", URL_SAFE.encode(header().to_string()), body)),
        ("the other alphabet", format!("{message}.{}", STANDARD.encode([0xFB; 64]))),
        ("letters that are none", format!("{message}.ä{signature}")),
        ("a NUL", format!("{message}.\0{signature}")),
        ("bits beyond the end", format!("{head}.{body}.{}B", &signature[..signature.len() - 1])),
        ("JSON", claims().to_string()),
        ("too long", format!("{message}.{}", "A".repeat(MOST_BYTES))),
    ] {
        add(what, jwt);
    }
    let long = with(claims(), &[("filler", json!("x".repeat(MOST_BYTES)))]);
    add("too long, and signed", signer.signed(&header(), &long));

    // The header.
    for (what, changes) in [
        ("none", vec![("alg", json!("none"))]),
        ("None", vec![("alg", json!("None"))]),
        ("NONE", vec![("alg", json!("NONE"))]),
        ("an empty algorithm", vec![("alg", json!(""))]),
        ("no algorithm", vec![("alg", Value::Null)]),
        ("an algorithm that is a number", vec![("alg", json!(256))]),
        ("a list of algorithms", vec![("alg", json!(["ES256"]))]),
        ("another case", vec![("alg", json!("es256"))]),
        ("the algorithm of another key", vec![("alg", json!("RS256"))]),
        ("another length", vec![("alg", json!("ES384"))]),
        ("a symmetric algorithm", vec![("alg", json!("HS256"))]),
        ("no kid", vec![("kid", Value::Null)]),
        ("an unknown kid", vec![("kid", json!("ec2"))]),
        ("an empty kid", vec![("kid", json!(""))]),
        ("a kid that is a path", vec![("kid", json!("../../dev/null"))]),
        ("a kid that is SQL", vec![("kid", json!("' OR 1=1 --"))]),
        ("a kid that is a number", vec![("kid", json!(1))]),
        ("the kid of another key", vec![("kid", json!("rsa"))]),
        (
            "the kid of another key of the algorithm's family",
            vec![("kid", json!("ed")), ("alg", json!("EdDSA"))],
        ),
        ("a key for encryption", vec![("kid", json!("enc"))]),
        ("a key for wrapping", vec![("kid", json!("wrap")), ("alg", json!("RS256"))]),
        ("a key of a type that is unknown", vec![("kid", json!("later"))]),
        ("no typ", vec![("typ", Value::Null)]),
        ("another typ", vec![("typ", json!("dpop+jwt"))]),
        ("a typ of security events", vec![("typ", json!("secevent+jwt"))]),
        ("a typ that is a number", vec![("typ", json!(1))]),
        ("a critical extension", vec![("crit", json!(["exp"]))]),
        ("an empty list of extensions", vec![("crit", json!([]))]),
        ("claims that are not encoded", vec![("b64", json!(false))]),
        ("packed claims", vec![("zip", json!("DEF"))]),
        ("encrypted claims", vec![("enc", json!("A256GCM"))]),
    ] {
        add(what, signer.signed(&with(header(), &changes), &claims()));
    }
    add(
        "no signature, and none",
        format!("{}.{body}.", text(json!({"alg": "none", "typ": "JWT"}).to_string())),
    );
    for (what, raw) in [
        ("a header twice", r#"{"alg":"none","alg":"ES256","kid":"ec","typ":"JWT"}"#),
        ("a kid twice", r#"{"alg":"ES256","kid":"ed","kid":"ec","typ":"JWT"}"#),
        ("a header that is a list", r#"["ES256"]"#),
        ("a header that is a text", r#""ES256""#),
        ("a header that is cut off", r#"{"alg":"ES256","kid":"ec","typ":"JWT""#),
        ("a header and more", r#"{"alg":"ES256","kid":"ec","typ":"JWT"}{}"#),
    ] {
        add(what, signer.signed_with("ec", raw, &claims().to_string()));
    }

    // The signature.
    let hmac_with = |what: &str, secret: &[u8], bad: &mut dyn FnMut(&str, String)| {
        let message =
            format!("{}.{body}", text(json!({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        bad(what, format!("{message}.{}", text(tag)));
    };
    hmac_with("an HMAC with the modulus", &bytes(MODULUS).expect("bytes"), &mut add);
    hmac_with("an HMAC with the text of the modulus", MODULUS.as_bytes(), &mut add);
    hmac_with("an HMAC with nothing", &[], &mut add);
    let other = Signer::new();
    add("another signer", other.signed(&header(), &claims()));
    let own = json!({"kty": "EC", "crv": "P-256", "x": text(&other.p256.public_key().as_ref()[1..33]),
        "y": text(&other.p256.public_key().as_ref()[33..])});
    add("a key of its own", other.signed(&with(header(), &[("jwk", own)]), &claims()));
    let place = with(
        header(),
        &[("jku", json!("https://evil.example/keys")), ("x5u", json!("https://evil.example"))],
    );
    add("keys from elsewhere", other.signed(&place, &claims()));
    for (what, bytes) in [
        ("a signature of zeros", vec![0; 64]),
        ("a signature that is short", vec![1; 63]),
        ("a signature that is long", vec![1; 65]),
        ("a signature of ones", vec![0xFF; 64]),
    ] {
        add(what, format!("{message}.{}", text(bytes)));
    }
    let altered = text(with(claims(), &[("sub", json!("admin"))]).to_string());
    add("altered claims", format!("{head}.{altered}.{signature}"));
    add("altered claims of RSA", RS256.replace(RS256.split('.').nth(1).expect("claims"), &altered));
    add(
        "the signature of PSS as PKCS#1",
        RS256.replace(
            RS256.split('.').nth(2).expect("a signature"),
            PS256.split('.').nth(2).expect("a signature"),
        ),
    );
    add(
        "the other header of RSA",
        PS256.replace(PS256.split('.').next().expect("a header"), RS256.split('.').next().expect("a header")),
    );
    let mut swapped = bytes(signature).expect("bytes");
    swapped.rotate_left(32);
    add("r and s swapped", format!("{message}.{}", text(swapped)));

    // The claims.
    for (what, changes) in [
        ("another issuer", vec![("iss", json!("https://evil.example"))]),
        ("an issuer with a slash more", vec![("iss", json!(format!("{ISSUER}/")))]),
        ("an issuer in another case", vec![("iss", json!(ISSUER.to_uppercase()))]),
        ("a list of issuers", vec![("iss", json!([ISSUER]))]),
        ("no issuer", vec![("iss", Value::Null)]),
        ("another audience", vec![("aud", json!("other"))]),
        ("an audience that begins alike", vec![("aud", json!("wim-match2"))]),
        ("no audience", vec![("aud", Value::Null)]),
        ("an empty list of audiences", vec![("aud", json!([]))]),
        ("audiences with a number", vec![("aud", json!([AUDIENCE, 1]))]),
        ("an audience that is an object", vec![("aud", json!({"wim-match": true}))]),
        ("over", vec![("iat", json!(NOW - 600)), ("exp", json!(NOW - 31))]),
        ("over for the leeway", vec![("iat", json!(NOW - 600)), ("exp", json!(NOW - 30))]),
        ("no end", vec![("exp", Value::Null)]),
        ("an end that is a text", vec![("exp", json!((NOW + 300).to_string()))]),
        ("an end beyond all numbers", vec![("exp", json!(1e300))]),
        ("a negative end", vec![("exp", json!(-1))]),
        ("good for longer than a day", vec![("exp", json!(NOW + 86_401))]),
        ("an end before its beginning", vec![("iat", json!(NOW + 20)), ("exp", json!(NOW + 10))]),
        ("no beginning", vec![("iat", Value::Null)]),
        ("from the future", vec![("iat", json!(NOW + 31))]),
        ("not good yet", vec![("nbf", json!(NOW + 31))]),
        ("a time that is a truth value", vec![("nbf", json!(true))]),
        ("no subject", vec![("sub", Value::Null)]),
        ("an empty subject", vec![("sub", json!(""))]),
        ("a subject that is a number", vec![("sub", json!(1))]),
        ("a subject with a line end", vec![("sub", json!("maria\nadmin"))]),
        ("a subject without end", vec![("sub", json!("x".repeat(256)))]),
    ] {
        add(what, signer.signed(&header(), &with(claims(), &changes)));
    }
    let whole = claims().to_string();
    for (what, raw) in [
        ("a subject twice", format!("{},\"sub\":\"admin\"}}", whole.trim_end_matches('}'))),
        ("an end twice", format!("{},\"exp\":1}}", whole.trim_end_matches('}'))),
        ("claims that are a list", format!("[{whole}]")),
        ("claims that are null", "null".to_owned()),
        ("claims and more", format!("{whole} {whole}")),
        ("an end that is not a number", whole.replace(&(NOW + 300).to_string(), "NaN")),
        ("claims that are deep", format!("{},\"x\":{}", whole.trim_end_matches('}'), "[".repeat(200))),
    ] {
        add(what, signer.signed_with("ec", &header().to_string(), &raw));
    }
    let utf8 = [&whole.as_bytes()[..whole.len() - 2], &[0xFF, 0xFE, b'"', b'}']].concat();
    let message = format!("{head}.{}", text(utf8));
    let signature = signer.p256.sign(&SystemRandom::new(), message.as_bytes()).expect("is signed");
    add("claims that are no UTF-8", format!("{message}.{}", text(signature)));

    assert!(bad.len() >= 80, "{} attacks", bad.len());
    signer.verify(&good).expect("the good one");
    for (what, jwt) in bad {
        assert!(signer.verify(&jwt).is_err(), "{what} was accepted: {jwt}");
    }
}

#[test]
fn a_jwt_is_good_up_to_its_end_and_the_leeway() {
    let signer = Signer::new();
    let jwt = signer.signed(&header(), &claims());
    let at = |second| signer.issuer.verify(&jwt, Timestamp::from_second(second).expect("a moment"));
    let until = at(NOW).expect("is good").until;
    assert_eq!(until.as_second(), NOW + 300 + 30);
    assert_eq!(at(NOW + 329).expect("is good").until, until, "it does not grow with use");
    assert_eq!(at(NOW + 330), Err("over"));
}

#[test]
fn every_single_letter_counts() {
    let signer = Signer::new();
    let good = signer.signed(&header(), &claims());
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(bytes).expect("ASCII");
        assert!(signer.verify(&altered).is_err(), "letter {at} may change");
    }
}

#[test]
fn a_file_of_keys_that_would_be_a_danger_is_refused() {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": text([1; 32])});
    let refused = |keys: Value, why: &str| {
        let file = json!({ "keys": keys }).to_string();
        let error = Issuer::new(ISSUER, AUDIENCE, file.as_bytes()).expect_err(why);
        assert!(error.contains(why), "{error}");
    };
    refused(json!([{"kty": "oct", "kid": "a", "k": "AAAA"}]), "secret");
    refused(json!([with(key.clone(), &[("d", json!("AA"))])]), "secret");
    refused(json!([key, key]), "`kid` of an earlier key");
    refused(json!([with(key.clone(), &[("kid", Value::Null)])]), "no `kid`");
    refused(json!([with(key.clone(), &[("x", json!("AA"))])]), "wrong length");
    refused(json!([with(key.clone(), &[("alg", json!("RS256"))])]), "another algorithm");
    refused(json!([{"kty": "RSA", "kid": "a", "n": text([0xC3; 128]), "e": "AQAB"}]), "2048 bits");
    refused(json!([with(key, &[("use", json!("enc"))])]), "no key for signatures");
    for file in
        ["", "{}", "[]", "{\"keys\":[{\"kty\":\"OKP\",\"kty\":\"EC\"}]}", "-----BEGIN CERTIFICATE-----"]
    {
        let error = Issuer::new(ISSUER, AUDIENCE, file.as_bytes()).expect_err("no keys");
        assert!(error.contains("is no JWKS"), "{error}");
    }
}
