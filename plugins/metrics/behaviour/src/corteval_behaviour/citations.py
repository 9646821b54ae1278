"""What to cite, as BibTeX."""

RAJALINGHAM = """@article{rajalingham2018large,
  title = {Large-scale, high-resolution comparison of the core visual object recognition behavior
    of humans, monkeys, and state-of-the-art deep artificial neural networks},
  author = {Rajalingham, Rishi and Issa, Elias B and Bashivan, Pouya and Kar, Kohitij and
    Schmidt, Kailyn and DiCarlo, James J},
  journal = {Journal of Neuroscience},
  volume = {38},
  number = {33},
  pages = {7255--7269},
  year = {2018}
}"""

ERROR_CONSISTENCY = """@inproceedings{geirhos2020beyond,
  title = {Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring
    error consistency},
  author = {Geirhos, Robert and Meding, Kristof and Wichmann, Felix A},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {33},
  year = {2020}
}"""

SHAPE_BIAS = """@inproceedings{geirhos2019imagenet,
  title = {ImageNet-trained CNNs are biased towards texture; increasing shape bias improves accuracy
    and robustness},
  author = {Geirhos, Robert and Rubisch, Patricia and Michaelis, Claudio and Bethge, Matthias and
    Wichmann, Felix A and Brendel, Wieland},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""

BAKER = """@article{baker2022deep,
  title = {Deep learning models fail to capture the configural nature of human shape perception},
  author = {Baker, Nicholas and Elder, James H},
  journal = {iScience},
  volume = {25},
  number = {9},
  pages = {104913},
  year = {2022}
}"""

FUTRELL = """@inproceedings{futrell2018natural,
  title = {The Natural Stories Corpus},
  author = {Futrell, Richard and Gibson, Edward and Tily, Harry J and Blank, Idan and
    Vishnevetsky, Anastasia and Piantadosi, Steven T and Fedorenko, Evelina},
  booktitle = {Proceedings of the Eleventh International Conference on Language Resources and
    Evaluation},
  year = {2018}
}"""


LIN = """@article{lin1991divergence,
  title = {Divergence measures based on the Shannon entropy},
  author = {Lin, Jianhua},
  journal = {IEEE Transactions on Information Theory},
  volume = {37},
  number = {1},
  pages = {145--151},
  year = {1991}
}"""
