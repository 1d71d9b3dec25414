"""The networks of the sweep; none of them is refused.

`TIMM` has one or two small networks of every file of timm 1.0.31 that has one of at most 40 million weights and 256
pixels.
"""

TIMM = """
    cait_xxs24_224 coat_lite_tiny coat_tiny convit_small convit_tiny convmixer_1024_20_ks9_p14 convnext_atto
    cpubone_nano cpubone_t0 crossvit_small_240 crossvit_tiny_240 cs3darknet_focus_s cs3darknet_s cspnext_s
    cspnext_tiny davit_tiny deit_tiny_distilled_patch16_224 deit_tiny_patch16_224 densenet121 dla102 dla102x
    eca_botnext26ts_256 eca_halonext26ts edgenext_x_small edgenext_xx_small efficientformer_l1
    efficientformer_l3 efficientformerv2_s0 efficientformerv2_s1 efficientvim_m1 efficientvim_m1_dist
    efficientvit_b0 efficientvit_b1 efficientvit_m1 eva02_tiny_patch14_224 fasternet_t0 fastvit_s12
    focalnet_tiny_srf gcvit_xxtiny gernet_s ghostnet_050 gmlp_ti16_224 hardcorenas_b hgnetv2_b0 hiera_tiny_224
    hieradet_small hrnet_w18_small iformer_t inception_next_atto nest_tiny_jx lcnetv2_small legacy_seresnet18
    levit_128 lowformer_b0 mambaout_femto mobilenetv3_small_050 mobilevit_xxs mvitv2_tiny nextvit_small
    pit_xs_224 poolformerv2_s12 pvt_v2_b0 rdnet_tiny regnetx_002 repghostnet_050 repvit_m1 res2net50_26w_4s
    resnest26d resnet10t resnet18 resnet50_clip resnetv2_18 rexnet_100 selecsls42 sequencer2d_s shvit_s1
    skresnet18 starnet_s050 swiftformer_xs swin_tiny_patch4_window7_224 swinv2_cr_tiny_224
    swinv2_tiny_window16_256 test_byobnet test_coatnet test_convnext test_mambaout test_nfnet test_vit
    test_vit_relpos tiny_vit_5m_224 tinynet_c tinynet_d tnt_s_legacy_patch16_224 tresnet_m twins_svt_small
    visformer_tiny vit_small_patch16_dinov3 vit_tiny_patch16_224 vit_tiny_r_s16_p8_224 vitamin_small_224
""".split()

# More transformers of timm: every family that mixes the places of a picture as tokens, with up to 40 million weights.
TRANSFORMERS = """
    cait_xxs36_224 coat_lite_mini coat_mini coatnet_nano_rw_224 coatnet_pico_rw_224 coatnext_nano_rw_224
    crossvit_15_dagger_240 crossvit_9_240 deit3_small_patch16_224 deit_small_distilled_patch16_224
    deit_small_patch16_224 edgenext_small efficientformerv2_s2 efficientvit_b2 efficientvit_m5
    eva02_small_patch14_224 flexivit_small gcvit_xtiny gmlp_s16_224 hiera_small_abswin_256 levit_128s levit_192
    levit_256 levit_conv_128s maxvit_nano_rw_256 maxvit_pico_rw_256 maxvit_tiny_tf_224 maxxvit_rmlp_nano_rw_256
    mixer_s16_224 mixer_s32_224 mobilenetv4_hybrid_medium mobilevit_s mobilevitv2_100 mvitv2_small_cls nest_tiny
    pit_s_224 pit_ti_distilled_224 pvt_v2_b1 pvt_v2_b2_li resmlp_12_224 swin_s3_tiny_224
    swinv2_cr_tiny_ns_224 swinv2_tiny_window8_256 test_vit2 test_vit3 test_vit4 tiny_vit_11m_224
    tnt_s_patch16_224 twins_pcpvt_small vit_dwee_patch16_reg1_gap_256 vit_little_patch16_reg4_gap_256
    vit_medium_patch16_gap_256 vit_medium_patch16_rope_reg1_gap_256 vit_pwee_patch16_reg1_gap_256
    vit_relpos_medium_patch16_cls_224 vit_relpos_small_patch16_224 vit_small_patch16_224
    vit_small_patch16_rope_mixed_224 vit_small_patch32_224 vit_small_plus_patch16_dinov3 vit_small_r26_s32_224
    vit_srelpos_small_patch16_224 vit_tiny_patch16_dinov3_qkvb vit_xsmall_patch16_clip_224 volo_d1_224
    xcit_nano_12_p16_224 xcit_nano_12_p8_224 xcit_tiny_12_p16_224
""".split()
