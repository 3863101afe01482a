/**
 * Summarizes descriptions of software with the model that comes with polybeam, or with that of a directory.
 *   npx tsx examples/summarize.ts [directory]
 */
import { loadModel } from '../src/node.js';

const documents = [
  'This package contains a small program that converts images between formats. It reads PNG, JPEG and TIFF files, can ' +
    'scale them to a given size, and is meant to be used in scripts.',
  'The library provides functions to read and write compressed archives. It supports streaming, so that archives larger ' +
    'than memory can be processed. These are the development files: headers and a static library.',
];

const model = await loadModel(process.argv[2] ?? 'models/summarize-software');
const outputs = await model.generate(
  documents.map((text) => ({ text })),
  { numBeams: 4, noRepeatNgramSize: 3 },
);
outputs.forEach(({ inputIds, sequences: [{ text, score }] }, at) => {
  console.log(`${documents[at]}\n  ${text}  (${inputIds.length} tokens read, score ${score.toFixed(3)})\n`);
});
await model.dispose();
