/** The policy that a new data directory is given. */
export const defaultPolicy = `# Who may do what. Everything is denied unless a rule allows it; a rule that denies wins over
# every rule that allows; the order of rules does not matter.

groups:
  admins: [admin]

rules:
  # A principal named N connects as client ID N or N:anything,
  - allow: connect
    clientids: ["\${username}", "\${username}:*"]

  # and has one tree of topics.
  - allow: [publish, subscribe, receive]
    topics: ["devices/\${username}/#"]

  # Administrators may do everything, and read what the broker says about itself.
  - subject: { group: admins }
    allow: [connect, publish, subscribe, receive]
    clientids: ["*"]
    topics: ["#"]
  - subject: { group: admins }
    allow: [subscribe, receive]
    topics: ["$SYS/#"]
`;
