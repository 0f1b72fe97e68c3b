/**
 * The configuration that `moat init` writes: what holds without it, in so many words.
 *
 * @param dataDir relative to the file
 */
export function initialConfiguration(dataDir: string): string {
  return `# Configuration of Moat. What is left out has its default; moat config schema lists every key.
# After a change: moat check -c FILE, then restart the broker or send it SIGHUP.

data_dir: ${JSON.stringify(dataDir)}

listeners:
  # For the network: TLS 1.3. A device is known by its certificate, others by name and password.
  - protocol: mqtts
    port: 8883
    use_identity_as_username: cn
    crlfile: pki/ca.crl        # in data_dir; moat device revoke writes it
  # For this machine only; passwords are needed here, too.
  - protocol: mqtt
    port: 1883
  - protocol: ws
    port: 8083

authentication:
  password_file: passwords     # in data_dir; moat passwd changes it

authorization:
  default: deny
  policy_file: policy.yaml     # in data_dir

limits:
  profile: standard            # strict | standard | off

log:
  level: info
`;
}
