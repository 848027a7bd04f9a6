use super::*;

#[test]
fn flags_win_over_defaults() {
    let overrides = Overrides { listen: Some("127.0.0.1:0".to_owned()), ..Overrides::default() };
    let config = Config::load(&overrides).expect("a good configuration");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.database_for_display(), "sqlite:wim-match.sqlite3");
}

#[test]
fn every_wrong_setting_of_a_file_is_named_with_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wim.toml");
    let load = |text: &str| {
        std::fs::write(&file, text).expect("is written");
        Config::load(&Overrides { file: Some(file.clone()), ..Overrides::default() })
    };
    let config = load("drain_seconds = 3\nlisten = '127.0.0.1:7'").expect("a good configuration");
    assert_eq!((config.drain_seconds, config.listen.port()), (3, 7));
    let error = load("worker = 1\ndrain = 3\nlog_filter = 'info'").expect_err("two mistakes").to_string();
    for wrong in ["wim.toml: worker must be true or false", "wim.toml: `drain` is not a setting"] {
        assert!(error.contains(wrong), "{error}");
    }
    let error = format!("{:#}", load("listen = 'nowhere'").expect_err("no address"));
    assert!(error.contains("listen"), "{error}");
    for origin in
        ["*", "https://a.example/", "https://a.example/path", "a.example", "https://A.example", "https://"]
    {
        let error = load(&format!("cors_origins = ['{origin}']")).expect_err("no origin").to_string();
        assert!(error.contains("is no origin"), "{origin}: {error}");
    }
    load("cors_origins = ['https://a.example', 'http://[::1]:8080']").expect("origins");
    let error = format!("{:#}", load("proxies = ['10.0.0.0/99']").expect_err("no network"));
    assert!(error.contains("`10.0.0.0/99` is no address or network"), "{error}");
    let small = "max_bytes_in_flight = 8388608\nmax_bytes_per_connection = 4194304\nidle_seconds = 0";
    let error = load(small).expect_err("three mistakes").to_string();
    for wrong in ["max_bytes_in_flight must be", "max_bytes_per_connection must be", "idle_seconds must be"] {
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn text_of_the_environment_gets_the_type_of_its_setting() {
    let mut settings = Settings { values: toml::from_str(DEFAULTS).expect("TOML"), wrong: Vec::new() };
    for (name, text) in [("worker", "FALSE"), ("drain_seconds", "7"), ("log_filter", "5")] {
        settings.set_text("test", name, text.to_owned());
    }
    settings.set_text("test", "proxies", "10.0.0.7, 10.1.0.0/16".to_owned());
    settings.refuse_wrong().expect("all are right");
    let value = |name: &str| settings.values[name].clone();
    assert_eq!(value("worker"), Value::Boolean(false));
    assert_eq!(value("drain_seconds"), Value::Integer(7));
    assert_eq!(value("log_filter"), Value::String("5".to_owned()));
    let proxies: Vec<Proxy> = value("proxies").try_into().expect("networks");
    assert_eq!(proxies.iter().map(|proxy| proxy.0.prefix_len()).collect::<Vec<_>>(), [32, 16]);
    settings.set_text("WIM_MATCH_WORKER", "worker", "perhaps".to_owned());
    let error = settings.refuse_wrong().expect_err("no truth value").to_string();
    assert!(error.contains("WIM_MATCH_WORKER: worker must be true or false"), "{error}");
}

#[test]
fn beyond_loopback_the_service_has_tls_or_a_proxy_that_terminates_it() {
    let load = |listen: &str, plain_text_behind_a_proxy| {
        let overrides = Overrides { listen: Some(listen.to_owned()), ..Overrides::default() };
        let config = Config::load(&overrides).expect("a good configuration");
        Config { plain_text_behind_a_proxy, ..config }
    };
    for local in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        load(local, false).check_exposure().expect("is on loopback");
    }
    for open in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
        let error = load(open, false).check_exposure().expect_err("is in plain text").to_string();
        assert!(error.contains("tls_certificate") && error.contains(open), "{error}");
        load(open, true).check_exposure().expect("a proxy terminates TLS");
        let mut tls = load(open, false);
        "/etc/wim-match/tls.pem".clone_into(&mut tls.tls_certificate);
        let error = tls.validate().expect_err("has no key").to_string();
        assert!(error.contains("tls_certificate needs tls_key"), "{error}");
        tls.check_exposure().expect("speaks TLS");
    }
}

#[test]
fn a_password_is_never_shown() {
    let config = Config::load(&Overrides {
        database: Some("postgres://me:s3cret@db.example/wim?sslpassword=s3cret".to_owned()),
        ..Overrides::default()
    })
    .expect("a good configuration");
    assert_eq!(config.database_for_display(), "postgres://me@db.example/wim");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_wrong_database_is_named() {
    let overrides = Overrides { database: Some("mysql://x".to_owned()), ..Overrides::default() };
    let error = Config::load(&overrides).expect_err("a wrong database");
    assert!(error.to_string().contains("database must begin with"), "{error}");
}
