/**
 * `fastcam/train`: stochastic gradient descent in this engine, for the experiments that train a network again (KAR and
 * ROAR), and for fine-tuning a small one. `fastcam` alone does not contain it.
 */

export type { Descent } from './parameters.js';
export {
  type Examples,
  rateFactor,
  SCHEDULES,
  type Schedule,
  type TrainOptions,
  train,
} from './train.js';
export { Trainer, type TrainerOptions } from './trainer.js';
