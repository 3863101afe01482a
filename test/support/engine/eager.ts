import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '../../../src/engine/kernels/index.js';
import { useGradients } from '../../../src/engine/gradientRegistry.js';

// Test files import this for its effect: operations outside of any program compute at once, on the CPU.
useGradients();
await tf.setBackend('cpu');
