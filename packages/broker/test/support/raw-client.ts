export { RawClient } from '@moat/testkit';
