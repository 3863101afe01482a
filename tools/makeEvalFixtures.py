"""Writes test/fixtures/eval: what sacrebleu 2.6.0 and sacremoses 0.2.0 say of texts chosen to be difficult.

Run from the repository root with a Python that has both (tools/requirements.txt):

    python tools/makeEvalFixtures.py
"""

import json
import os
import pathlib
import random
import subprocess
import sys

import jiwer
import numpy as np
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.metrics.bleu import _get_tokenizer
from sacrebleu.significance import PairedTest
from sacremoses import MosesPunctNormalizer, MosesTokenizer

assert sacrebleu.__version__ == '2.6.0', sacrebleu.__version__
ROOT = pathlib.Path(__file__).resolve().parent.parent / 'test' / 'fixtures' / 'eval'

# Plain sentences first, then what tokenizers and readers stumble over.
LINES = [
    'The quick brown fox jumps over the lazy dog.',
    'He paid $1,234.56 (about €1.100,00) on 3/4/2021, at 10:30 p.m.',
    'Well-known e-mail addresses: a.b@example.org; see http://example.org/a?b=c&d=e#f!',
    '"Don\'t!" she said -- \'it\'s the 90\'s, rock\'n\'roll isn\'t dead\'.',
    'AT&amp;T said &quot;no&quot; to &lt;b&gt;bold&lt;/b&gt; &apos;plans&apos;.',
    'Le « prix » de l\u2019œuvre : 12\u00a0345,67\u00a0€ \u2014 c\'est-à-dire 50\u00a0% de plus\u00a0!',
    '„Größe“, sagte er, „ist z.B. 3,5 cm“ … usw. und Straße',
    '我们在2021年买了3,000本书，“很好”。',
    '日本語のテキスト、カタカナとひらがな。ＡＢＣ１２３',
    '한국어 문장입니다. 숫자 1,5와 2.',
    'Привет, мир! Ёлка — это дерево № 5.',
    'नमस्ते दुनिया। १२,३४५',
    'emoji 🙂👍🏽 and maths ∑x² ≤ ½ ± 𝔘𝔫𝔦 𠀀𠀁',
    'İSTANBUL ΟΔΟΣ ΣΑΣ ǅungla ﬁne STRASSE ẞ',
    'a\u200bb\ufeffc\u00add\u2028e\x85f\x1cg\th\u3000i',
    'trailing blanks here   \t',
    '   leading blanks',
    '',
    '.',
    '...',
    'Yes',
    'No. 5 is alive, no. 6 was not.',
    '<skipped> text- with-\u2013dashes 10-20 a-1 1-a -5 --',
    '1.2.3 1,2,3 .5 5. ,5 5, 1.a a.1 ..,, 7',
    '{curly} [square] <angle> ~tilde^ `tick` |pipe| back\\slash _under_ @user #tag',
    'the the the the the the the',
    'é e\u0301 ñ n\u0303 Å \u212b',
    'x' * 60,
]


def perturbed(line, rnd):
    words = line.split(' ')
    for _ in range(rnd.randint(0, 1 + len(words) // 4)):
        i = rnd.randrange(len(words))
        kind = rnd.random()
        if kind < 0.4:
            j = rnd.randrange(len(words))
            words[i], words[j] = words[j], words[i]
        elif kind < 0.7 and len(words) > 1:
            del words[i]
        else:
            words.insert(i, rnd.choice(['the', ',', 'THE', '“', '3.5', '的', '.']))
    return ' '.join(words)


def corpora():
    rnd = random.Random(26)
    ref1 = list(LINES)
    ref2 = [perturbed(x, rnd) for x in LINES]
    hyp = [perturbed(x, rnd) for x in LINES]
    some = [None if i % 3 == 0 else x for i, x in enumerate(ref2)]
    empty = ['' if i % 4 == 0 else x for i, x in enumerate(ref2)]
    plain = [
        'a cat sat on the mat and looked at the dog',
        'two men are playing football in a park',
        'the woman reads a book',
    ]
    # 1 of 16 words and 1 of 8: precisions 6.25 and 12.5, ties when rounded.
    return {
        'nasty': (hyp, [ref1]),
        'twoReferences': (hyp, [ref1, ref2]),
        'missingReferences': (hyp, [ref1, some]),
        'emptyReferences': (hyp, [empty, ref2]),
        'identical': (ref1, [ref1]),
        'plain': ([perturbed(x, rnd) for x in plain], [plain]),
        'tie': (['w ' + ' '.join(f'x{i}' for i in range(15))], [['w ' + ' '.join(f'y{i}' for i in range(15))]]),
        'eighth': (['w ' + ' '.join(f'x{i}' for i in range(7))], [['w ' + ' '.join(f'y{i}' for i in range(9))]]),
        'oneWord': (['Yes'], [['Yes']]),
        'twoWords': (['Yes .', 'No'], [['Yes', 'No !']]),
        'noMatch': (['alpha beta gamma'], [['δέλτα']]),
        'emptyHypothesis': (['', ''], [['something here', 'and there']]),
        'emptyBoth': ([''], [['']]),
        'longer': (['a b c d e f g h'], [['a b c d']]),
        'shorter': (['a b c d e'], [['a b c d e f g h']]),
        'closest': (['a b c d'], [['a b c'], ['a b c d e']]),
    }


BLEU_OPTIONS = [
    {},
    {'lowercase': True},
    {'tokenize': 'none'},
    {'tokenize': 'char'},
    {'tokenize': 'intl'},
    {'tokenize': 'intl', 'lowercase': True},
    {'tokenize': 'zh'},
    {'smooth_method': 'none'},
    {'smooth_method': 'floor'},
    {'smooth_method': 'floor', 'smooth_value': 0.5},
    {'smooth_method': 'floor', 'smooth_value': 0.0},
    {'smooth_method': 'add-k'},
    {'smooth_method': 'add-k', 'smooth_value': 0.125},
    {'effective_order': True},
    {'effective_order': True, 'smooth_method': 'add-k', 'smooth_value': 2.0},
    {'max_ngram_order': 2},
]
CHRF_OPTIONS = [
    {},
    {'word_order': 2},
    {'word_order': 1, 'beta': 3},
    {'lowercase': True},
    {'whitespace': True},
    {'eps_smoothing': True},
    {'eps_smoothing': True, 'word_order': 2, 'lowercase': True},
    {'char_order': 3, 'beta': 1},
    {'char_order': 0, 'word_order': 1},
]


def camel(name):
    head, *tail = name.split('_')
    return head + ''.join(part.capitalize() for part in tail)


def metric_case(corpus, metric_name, options, hypotheses, references):
    metric = (BLEU if metric_name == 'bleu' else CHRF)(**options)
    score = metric.corpus_score(hypotheses, references)
    signature = metric.get_signature().format()
    case = {
        'corpus': corpus,
        'metric': metric_name,
        'options': {camel(k): v for k, v in options.items()},
        'text': {w: score.format(w, False, signature) for w in ((0, 1, 4) if not options else (4,))},
    }
    if not options:
        case['json'] = score.format(1, False, signature, True)
    if metric_name == 'bleu':
        case['counts'] = [score.counts, score.totals]
    return case


def make_scores():
    everything = corpora()
    cases = []
    for name, (hypotheses, references) in everything.items():
        for options in BLEU_OPTIONS:
            cases.append(metric_case(name, 'bleu', options, hypotheses, references))
        for options in CHRF_OPTIONS:
            cases.append(metric_case(name, 'chrf', options, hypotheses, references))
    write('scores.json', {'corpora': everything, 'cases': cases})


TER_OPTIONS = [
    {},
    {'case_sensitive': True},
    {'normalized': True},
    {'no_punct': True},
    {'asian_support': True},
    {'normalized': True, 'asian_support': True},
    {'normalized': True, 'asian_support': True, 'no_punct': True, 'case_sensitive': True},
    {'no_punct': True, 'asian_support': True},
]


def shifting_corpora():
    """Sentences that need moves of words: few kinds of words, runs that changed places, very unequal lengths."""
    rnd = random.Random(41)

    def moved(words):
        words = list(words)
        for _ in range(rnd.randint(0, 4)):
            if len(words) < 3:
                break
            start = rnd.randrange(len(words))
            run = words[start:start + rnd.randint(1, 12)]
            del words[start:start + len(run)]
            to = rnd.randint(0, len(words))
            words[to:to] = run
            if rnd.random() < 0.6:
                words[rnd.randrange(len(words))] = rnd.choice('abcxyz')
        return words

    def text(kinds, low, high):
        return [rnd.choice(kinds) for _ in range(rnd.randint(low, high))]

    rows = []
    for kinds, low, high, number in (('ab', 1, 9, 30), ('abcdefgh', 4, 20, 60), ([f'w{i}' for i in range(40)], 20, 90, 25)):
        for _ in range(number):
            reference = text(kinds, low, high)
            rows.append((moved(reference), reference, text(kinds, low, high)))
    # Beams, distances and the limit on candidates.
    long = [f'w{i}' for i in range(130)]
    rows.append((long[60:] + long[:60], long, ['w1']))
    rows.append((['a'] * 3, text('abc', 120, 120), ['a']))
    rows.append((text('abc', 120, 120), ['a', 'b'], ['c']))
    rows.append((text('ab', 70, 70), text('ab', 70, 70), text('ab', 70, 70)))
    rows.append(([], ['a', 'b'], []))
    rows.append((['a'], [], []))
    columns = [[' '.join(row[i]) for row in rows] for i in range(3)]
    return columns[0], columns[1:]


def make_ter():
    """Edits and lengths line by line, and the score with its signature."""
    everything = {name: corpus for name, corpus in corpora().items() if name in ('nasty', 'missingReferences', 'emptyReferences')}
    hypotheses, references = shifting_corpora()
    everything['shifts'] = (hypotheses, references[:1])
    everything['shiftsTwo'] = (hypotheses, references)
    everything['emptyBoth'] = ([''], [['']])
    everything['emptyReference'] = (['a b'], [['']])
    cases = []
    for name, (hypotheses, references) in everything.items():
        for options in TER_OPTIONS if name in ('nasty', 'missingReferences') else TER_OPTIONS[:2]:
            metric = TER(**options)
            score = metric.corpus_score(hypotheses, references)
            cases.append({
                'corpus': name,
                'options': {camel(k): v for k, v in options.items()},
                'text': score.format(4, False, metric.get_signature().format()),
                'lines': metric._extract_corpus_statistics(hypotheses, references),
            })
    write('ter.json', {'corpora': everything, 'cases': cases})


def systems():
    """A baseline and systems that differ from it by little, not at all, and by much."""
    rnd = random.Random(8)
    words = 'the a cat dog man woman sat ran on in mat park red big and saw with of house tree'.split()
    reference = [' '.join(rnd.choice(words) for _ in range(rnd.randint(3, 14))) for _ in range(150)]
    second = [perturbed(x, rnd) for x in reference]

    def noisy(line, much):
        kept = [w if rnd.random() > much else rnd.choice(words) for w in line.split()]
        return ' '.join(kept) if rnd.random() < 0.7 else perturbed(' '.join(kept), rnd)

    baseline = [noisy(x, 0.3) for x in reference]
    return {
        'references': [reference, second],
        'systems': {
            'baseline': baseline,
            'alike': [noisy(x, 0.3) for x in reference],
            'slightly': [noisy(x, 0.24) for x in reference],
            'clearly': [noisy(x, 0.1) for x in reference],
            'few changes': [x if i % 10 else noisy(reference[i], 0.1) for i, x in enumerate(baseline)],
        },
    }


def numbers(result):
    return {k: None if v is None else float(v) for k, v in vars(result).items()}


def make_significance():
    data = systems()
    cases = []
    for seed in ('12345', '7'):
        os.environ['SACREBLEU_SEED'] = seed
        for test, samples in (('bs', 1000), ('ar', 2000)):
            metrics = {'BLEU': BLEU(), 'CHRF': CHRF(word_order=2), 'TER': TER()}
            run = PairedTest(list(data['systems'].items()), metrics, data['references'], test, samples)
            signatures, scores = run()
            names = scores.pop('System')
            cases.append({
                'seed': int(seed),
                'test': test,
                'samples': samples,
                'systems': names,
                'signatures': {k: v.format() for k, v in signatures.items()},
                'results': {k: [numbers(r) for r in v] for k, v in scores.items()},
            })
    del os.environ['SACREBLEU_SEED']
    single = {}
    for name, metric in (('bleu', BLEU()), ('chrf', CHRF()), ('ter', TER())):
        score = metric.corpus_score(data['systems']['slightly'], data['references'], n_bootstrap=500)
        signature = metric.get_signature().format()
        single[name] = [score.format(2, False, signature), score.format(2, False, signature, True), score.format(2, True)]
    write('significance.json', {**data, 'cases': cases, 'single': single})


def make_sentences():
    hypotheses, references = corpora()['twoReferences']
    rows = []
    for hypothesis, *refs in zip(hypotheses, *references):
        bleu = sacrebleu.sentence_bleu(hypothesis, refs)
        chrf = sacrebleu.sentence_chrf(hypothesis, refs)
        rows.append([hypothesis, refs, bleu.format(4), chrf.format(4)])
    write('sentences.json', rows)


def make_tokenizers():
    result = {'lines': LINES}
    for name in ('13a', 'none', 'char', 'intl', 'zh'):
        tokenizer = _get_tokenizer(name)()
        result[name] = [tokenizer(line.rstrip()).split() for line in LINES]
    write('tokenizers.json', result)


def moses_lines():
    """Every meeting of the characters that rules look at, and lines about abbreviations."""
    rnd = random.Random(5)
    atoms = list("aBs1") + list("'''..,,`-\"!?()[]<>&|:;%") + [' ', ' ', ' ', "''", '...', '½', 'é', '日', '🙂']
    atoms += ['\u00a0', '«', '»', '„', '“', '’', '–', '—', '…', 'nº', 'ºC', 'Ⅷ', "n't", "'s", "l'", 'Mr', 'z.B', 'No', ' 5']
    lines = LINES + [
        'Mr. Smith met Dr. Jones vs. Prof. Brown, e.g. in St. Ives, U.S.A. The end.',
        'No. 5, No. Yes. Art. 3 pp. 7 pp. Seven Nos. Jan. Feb. May. June. etc. Then',
        'Am 3. Mai, Nr. 5, bzw. ca. 100. Am 100. Tag, XIV. Jh. d.h. usw. Und z.B. Dr. Meier, Mio. Euro.',
        "L'eau d'aujourd'hui, qu'il dit. M. Dupont, cf. p. 3, av. J.-C. art. 5 etc. Il y en a. Oui.",
        'end of words.\'',
        'so he said ...\'',
        'x.y. A 3.14. B ..a. b',
    ]
    return lines + [''.join(rnd.choice(atoms) for _ in range(rnd.randint(2, 14))) for _ in range(120)]


def make_moses():
    result = {'lines': moses_lines()}
    for lang in ('en', 'de', 'fr'):
        tokenizer = MosesTokenizer(lang=lang)
        normalizer = MosesPunctNormalizer(lang=lang)
        result[lang] = {
            'tokens': [tokenizer.tokenize(line, escape=False) for line in result['lines']],
            'escaped': [tokenizer.tokenize(line) for line in result['lines'][:40]],
            'normalized': [normalizer.normalize(line) for line in result['lines']],
        }
    write('moses.json', result)


def make_python_text():
    rnd = random.Random(9)
    fixed = [[x, d, f'{x:.{d}f}'] for x, d in [
        (6.25, 1), (12.5, 0), (0.5, 0), (1.5, 0), (2.5, 0), (0.125, 2), (0.375, 2), (6.35, 1), (99.95, 1), (100.0, 1),
        (0.0, 3), (1e-7, 2), (33.333, 0), (18.75, 1), (2.675, 2), (100.00000000000004, 14), (0.1, 30), (9.5, 0),
    ]]
    fixed += [[x, d, f'{x:.{d}f}'] for x, d in [(rnd.random() * 100, rnd.randint(0, 17)) for _ in range(60)]]
    fixed += [[n / 64, d, f'{n / 64:.{d}f}'] for n in range(0, 640, 7) for d in (0, 1, 2)]
    floats = [[x, repr(x)] for x in [0.0, 100.0, 61.8, 1e-4, 9.9e-5, 1e-5, 1.25e-7, 1e15, 1e16, 1.5e16, 1e22, 0.1 + 0.2]]
    spaces = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c).isspace()]
    write('pythonText.json', {'fixed': fixed, 'floats': floats, 'spaces': spaces})


def make_error_rates():
    """jiwer's error rates; it takes no empty references, and splits words at blanks alone."""
    rnd = random.Random(30)
    pairs = [(perturbed(x, rnd), x) for x in LINES if x.strip() and not set(x) & set('\t\u2028\x85\x1c\u3000\u00a0')]
    pairs += [('', 'a b'), ('a' * 70, 'ab' * 40), ('x y ' * 50, 'y x z ' * 30), ('a  b   c', ' a b c ')]
    for i in range(40):
        words = [rnd.choice(['a', 'bb', 'ä', '🙂', '中文', 'e\u0301']) for _ in range(rnd.randint(1, 90))]
        pairs.append((perturbed(perturbed(' '.join(words), rnd), rnd), ' '.join(words)))
    rows = []
    for hypothesis, reference in pairs:
        word = jiwer.process_words(reference, hypothesis)
        character = jiwer.process_characters(reference, hypothesis)
        rows.append([hypothesis, reference, word.wer, character.cer])
    hypotheses, references = zip(*pairs)
    rates = [jiwer.wer(list(references), list(hypotheses)), jiwer.cer(list(references), list(hypotheses))]
    write('errorRates.json', {'rows': rows, 'corpus': rates})


def make_random():
    """What numpy's generator draws, in the two ways that sacreBLEU draws."""
    cases = []
    for seed in (12345, 0, 1, 2**31, 2**32 - 1):
        rng = np.random.default_rng(seed)
        draws = []
        for count in (1000, 3, 1, 4_000_000_000, 2**31 + 5, 7):
            draws.append([count, rng.choice(count, size=9).tolist()])
            draws.append(['bits', rng.integers(2, size=(3, 15), dtype=bool).astype(int).ravel().tolist()])
        cases.append({'seed': seed, 'draws': draws})
    write('random.json', cases)


COMMANDS = [
    ('bleu', [], []),
    ('bleu', ['--json'], ['--format', 'json']),
    ('bleu', ['--json', '--width', '4'], ['--format', 'json', '-w', '4']),
    ('bleu', ['--json', '--width', '0', '--lowercase'], ['--format', 'json', '-w', '0', '-lc']),
    ('bleu', ['--tokenize', 'intl', '--width', '2'], ['-tok', 'intl', '-w', '2']),
    ('bleu', ['--tokenize', 'char', '--score-only'], ['-tok', 'char', '-b']),
    ('bleu', ['--smooth-method', 'floor', '--smooth-value', '0.25'], ['-s', 'floor', '-sv', '0.25']),
    ('bleu', ['--smooth-method', 'add-k', '--json'], ['-s', 'add-k', '--format', 'json']),
    ('bleu', ['--sentence-level', '--width', '3'], ['-sl', '-w', '3']),
    ('bleu', ['--sentence-level', '--score-only'], ['-sl', '-b']),
    ('chrf', [], []),
    ('chrf', ['--word-order', '2', '--json'], ['--chrf-word-order', '2', '--format', 'json']),
    ('chrf', ['--char-order', '4', '--beta', '3', '--lowercase'],
     ['--chrf-char-order', '4', '--chrf-beta', '3', '--chrf-lowercase']),
    ('chrf', ['--whitespace', '--eps-smoothing', '--width', '3'],
     ['--chrf-whitespace', '--chrf-eps-smoothing', '-w', '3']),
    ('chrf', ['--sentence-level'], ['-sl']),
    ('ter', [], []),
    ('ter', ['--json', '--width', '3'], ['--format', 'json', '-w', '3']),
    ('ter', ['--normalized', '--no-punct', '--asian-support', '--case-sensitive'],
     ['--ter-normalized', '--ter-no-punct', '--ter-asian-support', '--ter-case-sensitive']),
    ('ter', ['--sentence-level', '--width', '2'], ['-sl', '-w', '2']),
    ('bleu', ['--confidence'], ['--confidence']),
    ('bleu', ['--confidence', '--json', '--width', '3'], ['--confidence', '--format', 'json', '-w', '3']),
    ('chrf', ['--confidence', '--confidence-n', '200', '--score-only'], ['--confidence', '--confidence-n', '200', '-b']),
    ('ter', ['--confidence', '--confidence-n', '50'], ['--confidence', '--confidence-n', '50']),
]


def make_commands():
    hypotheses, (ref1, ref2) = corpora()['twoReferences']
    for name, lines in (('hypothesis', hypotheses), ('reference1', ref1), ('reference2', ref2)):
        # One file ends its lines as Windows does, and one lacks the last line feed.
        end = '\r\n' if name == 'reference2' else '\n'
        text = end.join(lines) + ('' if name == 'reference1' else end)
        (ROOT / f'{name}.txt').write_bytes(text.encode('utf-8'))
    rows = []
    for metric, ours, theirs in COMMANDS:
        for references in (['reference1.txt'], ['reference1.txt', 'reference2.txt']):
            command = [sys.executable, '-m', 'sacrebleu', *references, '-i', 'hypothesis.txt', '-m', metric]
            if '--format' not in theirs:
                command += ['--format', 'text']
            environment = {k: v for k, v in os.environ.items() if k != 'SACREBLEU_FORMAT'}
            run = subprocess.run([*command, *theirs], cwd=ROOT, capture_output=True, check=True, env=environment)
            rows.append({'args': [metric, *ours], 'references': references, 'stdout': run.stdout.decode('utf-8')})
    write('commands.json', rows)


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, separators=(',', ':'))
    (ROOT / name).write_text(text + '\n', encoding='ascii')


if __name__ == '__main__':
    ROOT.mkdir(parents=True, exist_ok=True)
    make_scores()
    make_sentences()
    make_tokenizers()
    make_moses()
    make_python_text()
    make_error_rates()
    make_random()
    make_ter()
    make_significance()
    make_commands()
