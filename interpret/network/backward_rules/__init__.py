"""Backward rules over the calls of a network: what each method passes down through each kind of call.

A network is a chain of calls of functions, methods and operators. ``operations`` is the table that sorts them into
kinds; a rule says what a call of a kind passes on from its output to its input. What a plain gradient passes on is
right for every kind that is not named here.

===========  ==============  =======================================  ==========================================
kind         guided and      DeepLIFT                                 LRP
             deconvnet
===========  ==============  =======================================  ==========================================
structure    gradient        gradient                                 gradient
linear       gradient        gradient                                 gradient; what is added stays there ("bias")
weights      gradient        gradient, or reveal-cancel with what     the composite's rule, batch norm merged into it;
                             bends it                                 biases and epsilon keep a share
elementwise  see ``guided``  (f(z) - f(z0)) / (z - z0)                the same with z0 = 0; f(0) stays there ("bias")
selection    gradient        what the maximum rises by goes to the    gradient: the largest takes all
                             largest, what it falls by to the one
                             that was the largest
product      gradient        at the middle of input and baseline      a gate takes nothing; two signals half each
softmax      gradient        logarithmic means of the probabilities   the same with z0 = 0
compound     gradient        as its parts                             as its parts; so a norm's scale is a gate
===========  ==============  =======================================  ==========================================

For DeepLIFT (Shrikumar et al. 2017, https://arxiv.org/abs/1704.02685) every rule is exact: what passes through a call
adds up to the difference of its output from the baseline's. LRP (Bach et al. 2015) is the same table with zero as the
reference of every call, except for the weights.

AttnLRP (Achtibat et al. 2024, https://arxiv.org/abs/2402.05602) is LRP with two other rules: softmax passes on by its
tangent, the rest of what it gives stays there ("bias"), and in a product its result is no gate, so half goes to each.
Norms are the same: their scale is a gate, which is the identity rule.

The rules replace calls, not modules. They work for modules, also those that run twice or in place, for functions and
for tensor methods, and they do not change the network.
"""

from .composites import COMPOSITES, OPENING_ATTENTION, composite_named
from .difference import difference_gradient
from .guided import Rule, redirected, ruled_gradient
from .relevance import Conserved, relevance_of

__all__ = [
    "COMPOSITES",
    "OPENING_ATTENTION",
    "Conserved",
    "Rule",
    "composite_named",
    "difference_gradient",
    "redirected",
    "relevance_of",
    "ruled_gradient",
]
