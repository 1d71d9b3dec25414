"""Every method in plain words: what its maps show, and what they do not."""

# From a method to how its map is to be read, and what must not be read into it.
WORDS = {
    "saliency": (
        "How strongly the score reacts when a pixel changes by a little. Bright pixels are those that the network is "
        "most sensitive to, in either direction.",
        "It does not say what the score was made of: a pixel may matter much and show nothing, since a tiny change of "
        "it changes nothing. Such maps are grainy by nature; a single bright dot means little.",
    ),
    "input_x_gradient": (
        "Each pixel's value times what the score gains when it grows: its share of the score if the network were "
        "linear. Red adds to the class, blue takes from it.",
        "The network is not linear, so the shares are a first guess. Black pixels get nothing, whatever they mean.",
    ),
    "smoothgrad": (
        "The sensitivity of each pixel, averaged over noisy copies of the picture, so that what is left is what the "
        "copies have in common.",
        "It shows sensitivity, not contribution, and does so for noisy pictures, on which the network was not trained. "
        "Looking calmer does not make it truer.",
    ),
    "integrated_gradients": (
        "How much each pixel adds to the score on a straight way from a blank picture to this one. Red adds, blue "
        "takes away, and all values together make up the difference of the two scores.",
        "It depends on the blank picture chosen: pixels of its colour get nothing. The pictures on the way are unlike "
        "any photograph.",
    ),
    "guided_backprop": (
        "Fine lines and textures that excite the network, traced back along positive paths only. Colours are those "
        "of the picture's own detail, around grey.",
        "It hardly depends on the class, and on many networks not even on what was learnt: it resembles an edge "
        "detector. Never take it as evidence on its own.",
    ),
    "deconvnet": (
        "The pattern that one gets by running the network backwards from the class, with only positive signals kept.",
        "It hardly depends on the class. Much of what one sees comes from the way back, not from the decision.",
    ),
    "cam": (
        "Where the last feature map, weighted as the network's own head weights it, adds to the class.",
        "It is as coarse as the last feature map, a few cells a side; its smooth edges come from enlarging it. It "
        "exists only for networks whose head averages and then weights.",
    ),
    "gradcam": (
        "The rough region whose features, in the last feature map, raise the score of the class.",
        "It is as coarse as that map, a few cells a side, so its smooth outline is no outline of the object. "
        "Evidence against the class is cut away, and several objects may melt into one.",
    ),
    "gradcam_plusplus": (
        "The rough region that speaks for the class, weighted so that several objects of it all show.",
        "It is as coarse as Grad-CAM, counts only what is positive, and so tends to mark more than what decided.",
    ),
    "xgradcam": (
        "The rough region that speaks for the class, with weights for which the parts nearly add up to the score.",
        "It is as coarse as Grad-CAM, and the sum holds only in simple networks.",
    ),
    "layercam": (
        "Where a layer's features raise the score, place by place, instead of with one weight for each feature.",
        "It is as coarse as the layer it looks at, and evidence against the class is not shown.",
    ),
    "hirescam": (
        "Exactly those places of a layer that add to the score, and, in blue, those that take from it.",
        "The exactness ends where anything but averaging and weighting comes after the layer. It is as coarse as "
        "the layer.",
    ),
    "eigencam": (
        "The strongest pattern among a layer's features: usually whatever stands out in the picture.",
        "It is the same for every class, so it cannot say why this one was chosen.",
    ),
    "scorecam": (
        "Regions that raise the score when everything else is dimmed, tried out one feature after another.",
        "It is as coarse as the layer, and the network was not trained on dimmed pictures.",
    ),
    "ablationcam": (
        "Regions whose features lower the score when they are switched off, one after another.",
        "Features that can stand in for each other are both underrated. It is as coarse as the layer.",
    ),
    "gradcam_elementwise": (
        "Where a layer's features raise the score, feature by feature and place by place, with none of them set off "
        "against another.",
        "Evidence against the class is not shown, so it marks more than what decided. It is as coarse as the layer.",
    ),
    "eigengradcam": (
        "The strongest pattern in what a layer's features add to the class: cleaner than their sum.",
        "What does not follow that one pattern is left out. It is as coarse as the layer.",
    ),
    "kpcacam": (
        "The strongest pattern among a layer's features, also one that a straight line does not catch.",
        "It is the same for every class, so it cannot say why this one was chosen.",
    ),
    "fem": (
        "The places where many of a layer's features are far stronger than elsewhere in the picture.",
        "It is the same for every class, so it cannot say why this one was chosen.",
    ),
    "shapleycam": (
        "The rough region that speaks for the class, with each feature's fair share of its score and its probability.",
        "It is as coarse as Grad-CAM and in most networks hardly differs from it.",
    ),
    "finercam": (
        "The rough region that tells the class from those it is most easily taken for.",
        "What it shares with them is cut away, though the class may depend on it. It is as coarse as the layer.",
    ),
    "fullgrad": (
        "Which pixels, and which units of every layer, the score is sensitive to, all layers laid over each other.",
        "Every layer counts the same, however little it adds, and evidence for and against looks alike.",
    ),
    "guided_gradcam": (
        "The fine detail of guided backpropagation, kept only inside the region that Grad-CAM marks for the class.",
        "The region depends on the class, the detail in it hardly does. Crisp lines are not more certain.",
    ),
    "occlusion": (
        "How far the score falls when a grey window hides that place. This is a real experiment on the network.",
        "Windows of another size or colour give other maps, and what is there twice seems not to matter, since the "
        "other copy stays.",
    ),
    "rise": (
        "Which places have to be visible for the class to be seen, averaged over thousands of random masks.",
        "It is a noisy average; faint differences are chance. The network was not trained on masked pictures.",
    ),
    "deeplift": (
        "How much each pixel adds to the score compared with a blank picture, passed back layer by layer.",
        "It depends on the blank picture chosen, and on the rules for passing back: others give other maps.",
    ),
    "gradient_shap": (
        "How much each pixel adds to the score, averaged over random points between blank pictures and this one.",
        "It is a noisy average, and depends on the blank pictures chosen.",
    ),
    "kernel_shap": (
        "How much each patch of the picture adds to the score, from many trials in which patches are hidden.",
        "It cannot see within a patch, it is a noisy estimate, and pictures with hidden patches are unnatural.",
    ),
    "lrp": (
        "The score, handed back layer by layer to the pixels, less what constants keep. Red adds, blue takes away.",
        "The rules for handing back are a choice; others give other maps. It can resemble an edge detector.",
    ),
    "attention_rollout": (
        "Which patches a transformer gathered from, all layers of attention taken together.",
        "It is the same for every class, and attention is not use: what was gathered may have been dropped again. It "
        "is as coarse as the patches.",
    ),
    "transformer_attribution": (
        "Which patches were attended to where more of that attention would raise the score, layer after layer.",
        "Evidence against the class is cut away, and what passes beside attention is not followed. It is as coarse as "
        "the patches.",
    ),
    "legrad": (
        "Which patches the score would gain from if every layer attended to them more.",
        "It says what more attention would do, not what was attended to; evidence against the class is cut away. It is "
        "as coarse as the patches.",
    ),
}

# What all maps tell, and what they do not.
THEY_TELL = (
    "Each map shows what this network's score for one class depends on in this picture, by its own definition of "
    "“depends”. Methods that disagree answer different questions.",
    "Two numbers below each map test it: hide the places it ranks first, and see how fast the class is lost (deletion, "
    "lower is better); show them first, and see how fast it is found (insertion, higher is better).",
    "A random map and a blob in the middle know nothing of the network. A map that is no better than they are "
    "says no more than they do.",
)
THEY_DO_NOT_TELL = (
    "Not the outline of the object, and not what a person would look at. A network may look at the right place "
    "for the wrong reason.",
    "Not which of two maps is stronger: each has its own scale, whose ends stand below it.",
    "Not what the network does with other pictures: a map holds for this one.",
    "Not how often the network is right: a probability is what it says, and may be high on pictures of nothing.",
)
