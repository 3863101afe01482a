/**
 * Translates three sentences with the model that comes with polybeam, and shows what beam search kept.
 *   npx tsx examples/translate.ts
 */
import { loadModel } from '../src/node.js';

const sentences = [
  'This package contains the documentation.',
  'The file could not be opened.',
  'Select the cells that you want to copy.',
];

const model = await loadModel('models/en-fr-software');
const translations = await model.translate(sentences, { to: 'fr', numBeams: 4 });
sentences.forEach((sentence, index) => {
  console.log(`${sentence}\n  ${translations[index]}`);
});

const [{ sequences }] = await model.generate([{ text: sentences[1] }], {
  numBeams: 4,
  numReturnSequences: 4,
});
console.log(`\nThe four best of "${sentences[1]}", with log-probability per token:`);
for (const { text, score } of sequences) console.log(`  ${score.toFixed(3)}  ${text}`);
await model.dispose();
