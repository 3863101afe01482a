"""Writes test/fixtures/eval/rouge.json: what rouge-score 0.1.2 (with NLTK's stemmer) says of awkward texts.

Run from the repository root with a Python that has both (tools/requirements.txt):

    python tools/makeRougeFixtures.py
"""

import json
import pathlib
import random
from importlib.metadata import version

import numpy as np
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer, scoring

assert version('rouge_score') == '0.1.2', version('rouge_score')
PATH = pathlib.Path(__file__).resolve().parent.parent / 'test' / 'fixtures' / 'eval' / 'rouge.json'
TYPES = ['rouge1', 'rouge2', 'rouge3', 'rougeL', 'rougeLsum']

# What tokenizers and readers stumble over; pairs of hypothesis and reference.
AWKWARD = [
    ('The quick brown fox jumps.', 'The quick brown fox jumps over the lazy dog.'),
    ('', ''),
    ('', 'something'),
    ('something', ''),
    ('...', '!?'),
    ('. , ;', 'a word'),
    ('e-mail-addresses a.b@example.org', 'E-Mail addresses: a b example org'),
    ('He paid $1,234.56 on 3/4/2021', 'he paid 1 234 56 on 2021-04-03'),
    ("don't it's 90's rock'n'roll", 'don t it s the 90s rock n roll'),
    ('İSTANBUL ẞ \u212aelvin \u017ftreet', 'istanbul ss kelvin street'),
    ('Größe naïve café', 'Grosse naive cafe'),
    ('我们在2021年买了3,000本书', '2021 3 000'),
    ('a\u2028b\x85c\x1cd\u200be\ufefff', 'a b c d e f'),
    ('under_score a_b', 'under score ab'),
    ('cats dogs ponies', 'cat dog pony'),
    ('relational conditional generalizations', 'relate condition generally'),
    ('dies died dying skies sky news', 'die die die sky sky new'),
    ('x ' * 40, 'x ' * 7),
    ('one two\nthree four\n\nfive', 'five\none three\ntwo four'),
    ('\n\n', 'a\nb'),
    ('a b c\n', '\na c b\n\nc'),
    ('a b a b\nb a', 'b a b\na b b a'),
    ('\n.\n', '\n,\n'),
]

SUFFIXES = (
    'ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti '
    'iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion '
    'sion tion ou ism ate iti ous ive ize s ss sses ies ed eed ing ied y e ll lle ly ally ally ology ologies ity ings edly'
).split()
STEMS = (
    'a b at be by ty y yy yyy ay oy bay sky tree tr ee oat troubl orrer privat hop fil fail fall hiss fizz tann bl iz siz '
    'conflat plast motor relat ration valen hesitan digit conform radic differ vil analog vietnam predic oper feud decis '
    'hope call form sens triplic electr good reviv allow infer airlin gyroscop adjust defens irrit replac depend adopt '
    'homolog commun activ angular effect bowdler prob r ceas contr geo theo archaeo 90 x1 1st 2nd m3 enjo sp fl w wx xyz'
).split()


def stems():
    words = {s + e for s in STEMS for e in [''] + SUFFIXES}
    rnd = random.Random(3)
    words |= {''.join(rnd.choice('aeiouybcdlnrstxwz1') for _ in range(rnd.randint(1, 9))) for _ in range(1500)}
    words |= {a + b + c for a in STEMS[::6] for b in SUFFIXES[::4] for c in SUFFIXES[::5]}
    words |= {'skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed'}
    words = sorted(w for w in ' '.join(words).split())
    stemmer = PorterStemmer()
    return ' '.join(f'{w}:{stemmer.stem(w)}' for w in words)


def random_text(rnd):
    words = ['the', 'cats', 'cat', 'sat', 'sitting', 'on', 'mats', 'mat', 'happily', 'happy', 'b', 'a']
    sentences = [' '.join(rnd.choice(words) for _ in range(rnd.randint(0, 8))) for _ in range(rnd.randint(1, 5))]
    return '\n'.join(sentences)


def value(score):
    return [score.precision, score.recall, score.fmeasure]


def corpora():
    rnd = random.Random(17)
    hypotheses = [h for h, _ in AWKWARD] + [random_text(rnd) for _ in range(40)]
    first = [r for _, r in AWKWARD] + [random_text(rnd) for _ in range(40)]
    second = [random_text(rnd) for _ in hypotheses]
    third = [h if i % 5 == 0 else random_text(rnd) for i, h in enumerate(hypotheses)]
    return {'one': (hypotheses, [first]), 'three': (hypotheses, [first, second, third])}


def main():
    cases = []
    everything = corpora()
    for name, (hypotheses, references) in everything.items():
        for stemmer in (False, True):
            scorer = rouge_scorer.RougeScorer(TYPES, use_stemmer=stemmer)
            aggregator = scoring.BootstrapAggregator(n_samples=20000)
            np.random.seed(5)
            lines = {t: [] for t in TYPES}
            for hypothesis, *targets in zip(hypotheses, *references):
                scores = scorer.score_multi(targets, hypothesis)
                aggregator.add_scores(scores)
                for t in TYPES:
                    lines[t].append(value(scores[t]))
            case = {'corpus': name, 'stemmer': stemmer, 'lines': lines}
            if name == 'one':
                case['intervals'] = {
                    t: [value(bound) for bound in (x.low, x.mid, x.high)] for t, x in aggregator.aggregate().items()
                }
            cases.append(case)
    text = json.dumps({'corpora': everything, 'cases': cases, 'stems': stems()}, ensure_ascii=True, separators=(',', ':'))
    PATH.write_text(text + '\n', encoding='ascii')


if __name__ == '__main__':
    main()
