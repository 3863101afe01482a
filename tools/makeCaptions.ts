/**
 * Writes the small texts of examples/unsupervised-translation.ts: captions of imagined pictures in English and in French, none in
 * both languages, and some held-out ones in both for a score.
 *   npx tsx tools/makeCaptions.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createDraws, type Draws } from '../src/pretraining/draws.js';

/** The same in both languages. */
type Phrase = [english: string, french: string];

/** What is found together. */
interface Kind {
  who: Phrase[];
  does: Phrase[];
  where: Phrase[];
}

// People and things of a kind go together, as they do in real captions: what stands around a word tells what it means.
const kinds: Kind[] = [
  {
    who: [
      ['a man', 'un homme'],
      ['a woman', 'une femme'],
      ['Anna', 'Anna'],
      ['Paul', 'Paul'],
      ['a cook', 'un cuisinier'],
      ['a waiter', 'un serveur'],
    ],
    does: [
      ['is eating an orange', 'mange une orange'],
      ['is preparing a salad', 'prépare une salade'],
      ['is cutting a tomato', 'coupe une tomate'],
      ['is drinking a coffee', 'boit un café'],
      ['is washing the plates', 'lave les assiettes'],
    ],
    where: [
      ['in a restaurant', 'dans un restaurant'],
      ['in the kitchen', 'dans la cuisine'],
      ['at a large table', 'à une grande table'],
    ],
  },
  {
    who: [
      ['a dog', 'un chien'],
      ['a black dog', 'un chien noir'],
      ['a brown dog', 'un chien brun'],
      ['a cat', 'un chat'],
      ['a white cat', 'un chat blanc'],
      ['Max', 'Max'],
    ],
    does: [
      ['is running', 'court'],
      ['is jumping', 'saute'],
      ['is sleeping', 'dort'],
      ['is biting a ball', 'mord une balle'],
      ['is chasing a bird', 'chasse un oiseau'],
    ],
    where: [
      ['in the grass', "dans l'herbe"],
      ['in the snow', 'dans la neige'],
      ['on a sofa', 'sur un sofa'],
      ['under a tree', 'sous un arbre'],
    ],
  },
  {
    who: [
      ['a boy', 'un garçon'],
      ['a girl', 'une fille'],
      ['a little boy', 'un petit garçon'],
      ['a little girl', 'une petite fille'],
      ['Anna', 'Anna'],
      ['Max', 'Max'],
    ],
    does: [
      ['is playing football', 'joue au football'],
      ['is playing tennis', 'joue au tennis'],
      ['is throwing a ball', 'lance une balle'],
      ['is swimming', 'nage'],
      ['is building a castle', 'construit un château'],
    ],
    where: [
      ['on the beach', 'sur la plage'],
      ['in a park', 'dans un parc'],
      ['in the water', "dans l'eau"],
      ['in the grass', "dans l'herbe"],
    ],
  },
  {
    who: [
      ['a man', 'un homme'],
      ['a young man', 'un jeune homme'],
      ['a young woman', 'une jeune femme'],
      ['a policeman', 'un policier'],
      ['Paul', 'Paul'],
      ['a tourist', 'un touriste'],
    ],
    does: [
      ['is waiting for the train', 'attend le train'],
      ['is waiting for the bus', 'attend le bus'],
      ['is riding a bicycle', 'fait du vélo'],
      ['is driving a red car', 'conduit une voiture rouge'],
      ['is crossing the street', 'traverse la rue'],
    ],
    where: [
      ['in Paris', 'à Paris'],
      ['in the city', 'dans la ville'],
      ['in front of a hotel', 'devant un hôtel'],
      ['in the rain', 'sous la pluie'],
    ],
  },
  {
    who: [
      ['a musician', 'un musicien'],
      ['a woman', 'une femme'],
      ['an old man', 'un vieil homme'],
      ['a group', 'un groupe'],
      ['Paul', 'Paul'],
    ],
    does: [
      ['is playing guitar', 'joue de la guitare'],
      ['is playing piano', 'joue du piano'],
      ['is singing', 'chante'],
      ['is dancing', 'danse'],
      ['is reading a newspaper', 'lit un journal'],
    ],
    where: [
      ['on a stage', 'sur une scène'],
      ['in front of a hotel', 'devant un hôtel'],
      ['in a park', 'dans un parc'],
      ['on a sofa', 'sur un sofa'],
    ],
  },
];

const clothes: Phrase[] = [
  ['with a red hat', 'avec un chapeau rouge'],
  ['with a black hat', 'avec un chapeau noir'],
  ['with a white shirt', 'avec une chemise blanche'],
  ['with a red shirt', 'avec une chemise rouge'],
  ['with 2 bags', 'avec 2 sacs'],
  ['with a bag', 'avec un sac'],
];

/** Earlier ones come more often, as words do. */
function draw<T>(draws: Draws, from: readonly T[]): T {
  const weights = from.map((_, at) => 1 / (at + 1));
  let left = draws.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return from[at];
  }
  return from[from.length - 1];
}

/** A caption in both languages. */
function caption(draws: Draws): [string, string] {
  const kind = draw(draws, kinds);
  const parts = [draw(draws, kind.who)];
  if (draws.uniform() < 0.4) parts.push(draw(draws, clothes));
  parts.push(draw(draws, kind.does));
  if (draws.uniform() < 0.7) parts.push(draw(draws, kind.where));
  return [
    `${parts.map(([english]) => english).join(' ')} .`,
    `${parts.map(([, french]) => french).join(' ')} .`,
  ];
}

const lines = 4000;
const seen = new Map<string, 'en' | 'fr' | 'test'>();
const texts = { en: [] as string[], fr: [] as string[], test: [] as string[] };
// A caption is for one of the three alone, whenever it comes.
for (let at = 0; texts.en.length < lines || texts.fr.length < lines; at++) {
  const draws = createDraws(1, 'captions', 0, at);
  const [english, french] = caption(draws);
  const where = seen.get(english) ?? (draws.uniform() < 0.03 ? 'test' : draws.uniform() < 0.5 ? 'en' : 'fr');
  const isNew = !seen.has(english);
  seen.set(english, where);
  if (where === 'test' && isNew && texts.test.length < 100) texts.test.push(`${english}\t${french}`);
  if (where === 'en' && texts.en.length < lines) texts.en.push(english);
  if (where === 'fr' && texts.fr.length < lines) texts.fr.push(french);
}
await mkdir('examples/data', { recursive: true });
const write = (name: string, text: readonly string[]) =>
  writeFile(`examples/data/${name}`, text.map((line) => `${line}\n`).join(''));
await write('captions.en.txt', texts.en);
await write('captions.fr.txt', texts.fr);
await write('captions.test.tsv', texts.test);
console.log(`${seen.size} different captions`);
