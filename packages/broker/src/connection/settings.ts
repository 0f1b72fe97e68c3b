import type { Access } from '../config/access-files.js';
import type { Configuration } from '../config/schema.js';
import { ClientIdRules } from './client-id-rules.js';
import type { ConnectionContext } from './context.js';
import { TermsBook } from './terms.js';

/** What connections read of a configuration, anew after each reload. */
export type Settings = Pick<
  ConnectionContext,
  | 'limits'
  | 'terms'
  | 'policy'
  | 'onDeniedPublish'
  | 'onDeniedSubscribe'
  | 'onLostSubscription'
  | 'withdrawsRetained'
  | 'namesRules'
  | 'clientIds'
  | 'certificateRenewal'
  | 'retainAvailable'
  | 'reasonStrings'
  | 'responseInformation'
  | 'serverReference'
>;

/** The settings of a configuration and the files that it names. */
export function settingsOf(configuration: Configuration, { policy }: Access): Settings {
  const { limits, authentication, authorization } = configuration;
  return {
    limits,
    terms: new TermsBook(limits),
    policy,
    onDeniedPublish: authorization.on_denied_publish,
    onDeniedSubscribe: authorization.on_denied_subscribe,
    onLostSubscription: authorization.on_lost_subscription,
    withdrawsRetained: authorization.retained_after_revocation === 'withdraw',
    namesRules: authorization.reason_names_rule,
    clientIds: new ClientIdRules(authentication),
    certificateRenewal: authentication.certificate_renewal,
    retainAvailable: configuration.retain_available,
    reasonStrings: configuration.reason_strings,
    responseInformation: configuration.response_information,
    serverReference: configuration.server_reference,
  };
}
