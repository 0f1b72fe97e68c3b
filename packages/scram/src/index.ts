export {
  deriveKeys,
  exclusiveOr,
  type Keys,
  leastIterations,
  type Mechanism,
  mechanismNames,
  mechanisms,
  mostIterations,
  signature,
  storedKeyOf,
} from './keys.js';
export { saslPrep } from './sasl-prep.js';
