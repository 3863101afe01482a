/** polybeam in Node: everything of `index.ts`, ready to use. */
import './node/install.js';

export * from './index.js';
