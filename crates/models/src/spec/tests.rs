//! What a specification accepts, what it refuses and in which words, and how it is written.

use super::*;

fn gru(layers: usize, dropout: f64) -> GruSpec {
    GruSpec { dropout, ..GruSpec::new(8, layers) }
}

fn refused(spec: &NetworkSpec) -> String {
    spec.validate().expect_err("the specification is wrong").to_string()
}

fn spec(head: Head, loss: Loss) -> NetworkSpec {
    NetworkSpec::new(Encoder::Gru(gru(2, 0.1)), head, loss, vec![3])
}

fn with_encoder(encoder: Encoder) -> NetworkSpec {
    NetworkSpec { encoder, ..spec(Head::Point, Loss::Mse) }
}

fn gaussian() -> Head {
    Head::Gaussian { variance_floor: 1e-4 }
}

fn student_t() -> Head {
    Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: None }
}

fn quantile() -> Head {
    Head::Quantile { levels: vec![0.1, 0.5, 0.9] }
}

fn heads() -> [Head; 4] {
    [Head::Point, gaussian(), student_t(), quantile()]
}

#[test]
fn a_loss_goes_with_its_heads_and_with_no_other() {
    let sharpe = Loss::Sharpe { cost_bps: 5.0, position: Position::Tanh };
    let fitting: [(Loss, &[&str]); 8] = [
        (Loss::Mse, &["point"]),
        (Loss::Huber { delta: 1.0 }, &["point"]),
        (sharpe, &["point"]),
        (Loss::GaussianNll, &["gaussian"]),
        (Loss::BetaNll { beta: 0.5 }, &["gaussian"]),
        (Loss::StudentTNll, &["student_t"]),
        (Loss::Crps, &["gaussian", "student_t"]),
        (Loss::Pinball, &["quantile"]),
    ];
    for (loss, names) in fitting {
        for head in heads() {
            let fits = spec(head.clone(), loss.clone()).validate().is_ok();
            assert_eq!(fits, names.contains(&head.name()), "{} and {}", loss.name(), head.name());
        }
    }
}

#[test]
fn a_loss_that_does_not_fit_its_head_is_refused_with_the_ones_that_do() {
    assert_eq!(
        refused(&spec(Head::Point, Loss::GaussianNll)),
        "loss `gaussian_nll` does not fit head `point`\nhint: use loss `mse`, `huber` or `sharpe`, or head `gaussian`"
    );
    assert_eq!(
        refused(&spec(quantile(), Loss::Crps)),
        "loss `crps` does not fit head `quantile`\nhint: use loss `pinball`, or head `gaussian` or `student_t`"
    );
}

#[test]
fn a_single_gru_refuses_a_second_scale() {
    let mut two_scales = spec(Head::Point, Loss::Mse);
    two_scales.feature_counts = vec![3, 3];
    assert_eq!(refused(&two_scales), "encoder `gru` must have `1` scale, has `2`\nhint: use encoder `multi_scale_gru`");
    two_scales.encoder = Encoder::MultiScaleGru(gru(1, 0.0));
    assert_eq!(two_scales.validate(), Ok(()));
}

#[test]
fn an_encoder_without_an_order_of_time_needs_the_windows_lengths() {
    let mut linear = with_encoder(Encoder::Linear(LinearSpec {}));
    assert_eq!(refused(&linear), "window_bars must have `1` entries for encoder `linear`, one per scale, has `0`");
    (linear.feature_counts, linear.window_bars) = (vec![3, 2], vec![6, 4]);
    assert_eq!(linear.validate(), Ok(()));
    linear.encoder = Encoder::Gru(gru(1, 0.0));
    linear.feature_counts.pop();
    assert!(refused(&linear).contains("has `2`"));
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let refused_encoder = |encoder| refused(&with_encoder(encoder));
    assert_eq!(refused_encoder(Encoder::Gru(gru(2, 1.0))), "dropout must be in [0, 1), was `1`");
    assert_eq!(
        refused_encoder(Encoder::Gru(gru(1, 0.2))),
        "dropout must be 0 when `layers` is 1 (it acts between layers), was `0.2`"
    );
    assert_eq!(refused_encoder(Encoder::Gru(gru(0, 0.0))), "layers must be in [1, 16], was `0`");
    let lstm = LstmSpec { zoneout: 1.5, ..LstmSpec::new(8, 1) };
    assert_eq!(refused_encoder(Encoder::Lstm(lstm)), "zoneout must be in [0, 1), was `1.5`");
    let mlp = MlpSpec { hidden_sizes: vec![8, 0], dropout: 0.0 };
    assert_eq!(refused_encoder(Encoder::Mlp(mlp)), "hidden_sizes must be in [1, 4096], was `0`");
    assert!(refused(&spec(Head::Gaussian { variance_floor: 0.0 }, Loss::GaussianNll)).contains("variance_floor"));
    assert!(refused(&spec(gaussian(), Loss::BetaNll { beta: f64::NAN })).contains("beta"));
    let fixed = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: Some(2.0) };
    assert_eq!(refused(&spec(fixed, Loss::StudentTNll)), "degrees_of_freedom must be in (2, 1e6], was `2`");
    let horizons = NetworkSpec { horizons: 0, ..spec(Head::Point, Loss::Mse) };
    assert_eq!(refused(&horizons), "horizons must be in [1, 1024], was `0`");
}

#[test]
fn levels_rise_inside_the_unit_interval() {
    let refused = |levels: &[f64]| refused(&spec(Head::Quantile { levels: levels.to_vec() }, Loss::Pinball));
    assert_eq!(refused(&[0.5]), "number of levels must be in [2, 999], was `1`");
    assert_eq!(refused(&[0.0, 0.5]), "levels must be in (0, 1), was `0`");
    assert_eq!(refused(&[0.5, 0.5]), "levels must be each above the one before, was `0.5`");
}

#[test]
fn heads_of_attention_share_the_width_evenly() {
    let transformer = |model_size, heads| {
        let dropout = 0.1;
        let (layers, feedforward_size, pooling) = (2, 16, Pooling::Last);
        Encoder::Transformer(TransformerSpec { model_size, heads, layers, feedforward_size, dropout, pooling })
    };
    assert_eq!(with_encoder(transformer(8, 2)).validate(), Ok(()));
    assert_eq!(refused(&with_encoder(transformer(8, 3))), "model_size must be a multiple of `heads`, was `8`");
    assert_eq!(refused(&with_encoder(transformer(9, 3))), "model_size must be even, was `9`");
}

#[test]
fn what_transformer_layers_read_is_neither_pooled_nor_looks_ahead() {
    let hybrid = |gru| {
        let (pooling, dropout) = (Pooling::Mean, 0.0);
        with_encoder(Encoder::GruTransformer(GruTransformerSpec {
            gru,
            heads: 2,
            layers: 1,
            feedforward_size: 8,
            dropout,
            pooling,
        }))
    };
    assert_eq!(hybrid(GruSpec::new(8, 1)).validate(), Ok(()));
    let pooled = GruSpec { pooling: Pooling::Mean, ..GruSpec::new(8, 1) };
    assert!(refused(&hybrid(pooled)).starts_with("pooling must be `last` for the GRU inside"));
    let both_ways = GruSpec { bidirectional: true, ..GruSpec::new(8, 1) };
    assert!(refused(&hybrid(both_ways)).starts_with("bidirectional must be `false` for the GRU inside"));
}

#[test]
fn a_config_names_variants_by_tables_and_refuses_other_keys() {
    let encoder: Encoder =
        serde_json::from_str(r#"{"multi_scale_gru": {"hidden_size": 32, "layers": 1, "dropout": 0.0}}"#)
            .expect("a valid encoder");
    assert_eq!(encoder, Encoder::MultiScaleGru(GruSpec::new(32, 1)));
    assert_eq!((encoder.name(), encoder.hidden_size()), ("multi_scale_gru", Some(32)));
    assert_eq!(serde_json::from_str::<Loss>(r#""mse""#).expect("a valid loss"), Loss::Mse);
    let message = serde_json::from_str::<Head>(r#"{"gaussian": {"floor": 1}}"#).expect_err("no such key").to_string();
    assert!(message.starts_with("unknown field `floor`, expected `variance_floor`"), "{message}");
}

#[test]
fn a_specification_of_one_horizon_is_written_as_it_always_was() {
    let text = r#"{"encoder":{"gru":{"hidden_size":8,"layers":2,"dropout":0.1}},"head":"point","loss":"mse","feature_counts":[3]}"#;
    assert_eq!(serde_json::to_string(&spec(Head::Point, Loss::Mse)).expect("plain values"), text);
    assert_eq!(serde_json::from_str::<NetworkSpec>(text).expect("a valid specification"), spec(Head::Point, Loss::Mse));
}

#[test]
fn only_plain_gru_layers_run_in_the_kernel() {
    let plain = GruSpec::new(8, 2);
    let changed = [
        GruSpec { bidirectional: true, ..plain.clone() },
        GruSpec { pooling: Pooling::Mean, ..plain.clone() },
        GruSpec { zoneout: 0.1, ..plain.clone() },
        GruSpec { layer_norm: true, ..plain.clone() },
    ];
    assert!(changed.into_iter().all(|gru| !Encoder::Gru(gru).is_plain_gru()));
    assert!(!Encoder::Lstm(LstmSpec::new(8, 1)).is_plain_gru());
    assert!(Encoder::MultiScaleGru(plain).is_plain_gru());
}
