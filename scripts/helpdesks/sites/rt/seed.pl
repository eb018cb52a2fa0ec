# What the tests find in RT. Documented in RT::Initialdata: plain arrays, then subs that run last.
use strict;
use warnings;
use JSON;

our (@Queues, @Users, @Groups, @CustomFields, @ACL, @Final);

my $people = do {
    open my $file, '<:raw', $ENV{HELPDESK_PEOPLE} or die "$ENV{HELPDESK_PEOPLE}: $!";
    local $/;
    JSON->new->utf8->decode(<$file>);
};

@Queues = (
    { Name => 'Support' },
    { Name => 'Billing', Lifecycle => 'billing' },
);

for my $role (qw(agent1 agent2 requester)) {
    my $person = $people->{$role};
    push @Users, {
        Name         => $person->{login},
        RealName     => "$person->{first} $person->{last}",
        EmailAddress => $person->{email},
        Password     => $person->{password},
        Privileged   => $role eq 'requester' ? 0 : 1,
        $person->{timezone} ? (Timezone => $person->{timezone}) : (),
    };
}

@Groups = ({ Name => 'Agents', Members => { Users => [ map { $people->{$_}{login} } qw(agent1 agent2) ] } });

my $on_tickets = 'RT::Queue-RT::Ticket';
@CustomFields = (
    { Name => 'ExternalRef', Type => 'FreeformSingle', LookupType => $on_tickets, ApplyTo => [ 'Support', 'Billing' ] },
    {   Name => 'Severity', Type => 'SelectSingle', LookupType => $on_tickets, ApplyTo => [ 'Support', 'Billing' ],
        Values => [ map { { Name => $_ } } qw(Low Medium High) ],
    },
    { Name => 'Tags', Type => 'FreeformMultiple', LookupType => $on_tickets, ApplyTo => ['Support'] },
);

@ACL = (
    (   map { { GroupDomain => 'UserDefined', GroupId => 'Agents', Right => $_ } }
            qw(SeeQueue ShowTicket ShowTicketComments ShowOutgoingEmail CreateTicket ReplyToTicket CommentOnTicket OwnTicket TakeTicket
            StealTicket ReassignTicket ModifyTicket DeleteTicket Watch WatchAsAdminCc SeeCustomField ModifyCustomField ManageAuthTokens
            ShowUserHistory)
    ),
    (map { { GroupDomain => 'SystemInternal', GroupType => 'Everyone', Right => $_ } } qw(CreateTicket ReplyToTicket)),
    { GroupDomain => 'RT::System-Role', GroupType => 'Requestor', Right => 'ShowTicket' },
);

@Final = (
    sub {
        my %accounts;
        for my $role (sort keys %$people) {
            my $person = $people->{$role};
            my $user   = RT::User->new(RT->SystemUser);
            $user->Load($role eq 'admin' ? 'root' : $person->{login});
            if ($role eq 'admin') {
                $user->SetPassword($person->{password});
                $user->SetRealName("$person->{first} $person->{last}");
                $user->SetEmailAddress($person->{email});
            }
            my ($done, $message, $token) =
                RT::AuthToken->new(RT->SystemUser)->Create(Owner => $user->id, Description => 'tests');
            die "no token for $role: $message" unless $done;
            $accounts{$role} = {
                login => $user->Name, id => $user->Name, name => $user->RealName, email => $user->EmailAddress,
                password => $person->{password}, token => $token, timezone => $person->{timezone},
            };
        }
        my @queues;
        for my $name (qw(Support Billing)) {
            my $queue = RT::Queue->new(RT->SystemUser);
            $queue->Load($name);
            push @queues, { id => 0 + $queue->id, name => $name, lifecycle => $queue->Lifecycle };
        }
        my @fields;
        for my $name (qw(ExternalRef Severity Tags)) {
            my $field = RT::CustomField->new(RT->SystemUser);
            $field->Load($name);
            push @fields, {
                id => 0 + $field->id, name => $name, type => $field->Type,
                $name eq 'Severity' ? (values => [ map { $_->Name } @{ $field->Values->ItemsArrayRef } ]) : (),
            };
        }
        open my $file, '>:raw', $ENV{HELPDESK_SEED} or die "$ENV{HELPDESK_SEED}: $!";
        print $file JSON->new->utf8->canonical->pretty->encode({ accounts => \%accounts, queues => \@queues, fields => \@fields });
        close $file or die "$ENV{HELPDESK_SEED}: $!";
    },
);

1;
