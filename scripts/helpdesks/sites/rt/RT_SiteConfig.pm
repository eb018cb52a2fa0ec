# RT for the tests: only loopback, SQLite, mails into a file. Everything that differs from run to run comes from the environment.
# Documented in RT_Config.

Set($rtname, 'rt.example.com');
Set($Organization, 'rt.example.com');
Set($Timezone, $ENV{TZ});

Set($WebDomain, '127.0.0.1');
Set($WebPort, $ENV{HELPDESK_PORT});
Set($WebPath, '');

Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$ENV{HELPDESK_DATA}/rt.sqlite");
$RT::MasonDataDir = "$ENV{HELPDESK_DATA}/mason";
$RT::MasonSessionDir = "$ENV{HELPDESK_DATA}/sessions";

Set($MailCommand, 'sendmailpipe');
Set($SendmailPath, "$ENV{HELPDESK_SITE}/sendmail");

# Every request checks a token or password; at the default cost that takes longer than all the rest.
Set($BcryptCost, 4);
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');

# A second set of statuses, so that moving a ticket to another queue changes its status.
Set(%Lifecycles,
    billing => {
        initial  => ['new'],
        active   => [ 'open', 'waiting' ],
        inactive => [ 'resolved', 'rejected', 'deleted' ],
        defaults => { on_create => 'new' },
        transitions => {
            ''       => [ 'new', 'open' ],
            new      => [ 'open', 'rejected', 'deleted' ],
            open     => [ 'waiting', 'resolved', 'deleted' ],
            waiting  => [ 'open', 'resolved' ],
            resolved => ['open'],
            rejected => [],
            deleted  => [],
        },
        rights => { '* -> deleted' => 'DeleteTicket', '* -> *' => 'ModifyTicket' },
    },
    __maps__ => {
        'default -> billing' => {
            new => 'new', open => 'open', stalled => 'waiting', resolved => 'resolved', rejected => 'rejected', deleted => 'deleted',
        },
        'billing -> default' => {
            new => 'new', open => 'open', waiting => 'stalled', resolved => 'resolved', rejected => 'rejected', deleted => 'deleted',
        },
    },
);

1;
