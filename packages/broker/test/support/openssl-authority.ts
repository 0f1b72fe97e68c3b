export { OpensslAuthority, selfSigned } from '@moat/testkit';
