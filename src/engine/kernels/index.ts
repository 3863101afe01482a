/** Registers every mapping; one file per family of operations. */
import './arrange.js';
import './elementwise.js';
import './lookup.js';
import './matmul.js';
import './random.js';
import './reduce.js';
import '../arrangeGradients.js';
import '../elementwiseGradients.js';
import '../gradients.js';

export { mappedKernels } from './register.js';
