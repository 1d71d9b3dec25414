"""The networks of the sweep, and those of them that have no default layer.

`TIMM` has one or two small networks of every file of timm 1.0.31 that has one of at most 40 million weights and 256
pixels. `REFUSED` are those whose logits are read off tokens, which have mixed the places of every map before them.
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

REFUSED = (
    r"vit_|timm:(cait|coat_tiny|convit|crossvit|deit|eva02|gmlp|hiera_|levit|mvitv2|pit_|test_vit|tnt|vit_|twins|coat_lite|"
    r"efficientformer_|vitamin)"
)
