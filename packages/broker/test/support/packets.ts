export * from '@moat/testkit/packets';
