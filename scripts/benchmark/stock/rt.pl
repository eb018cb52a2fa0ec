# Many tickets for the benchmark, each with a note and a reply. Documented in RT::Initialdata: subs that run last.
use strict;
use warnings;

our @Final = (
    sub {
        # Conditions and mails take most of the time of a ticket; nothing of what they do is read.
        my $database = RT->DatabaseHandle;
        my @scrips = map { $_->[0] } @{ $database->dbh->selectall_arrayref('SELECT id FROM Scrips WHERE Disabled = 0') };
        my $all = join ',', @scrips;
        $database->SimpleQuery("UPDATE Scrips SET Disabled = 1 WHERE id IN ($all)");
        my @agents = map { my $user = RT::CurrentUser->new; $user->LoadByName($_); $user } qw(agent1 agent2);
        $database->BeginTransaction;
        for my $number (1 .. $ENV{BENCH_TICKETS}) {
            my $ticket = RT::Ticket->new($agents[$number % 2]);
            my $body = "Since this morning number $number does nothing.\n" . ('It was fine yesterday. ' x (2 + $number % 9));
            my ($id, undef, $said) = $ticket->Create(
                Queue => 'Support', Subject => "The printer $number on floor " . ($number % 12) . ' is on fire',
                Requestor => 'requester@example.com', $number % 3 ? (Owner => 'agent1') : (), Priority => 50,
                'CustomField-2' => [qw(Low Medium High)]->[$number % 3],
                MIMEObj => MIME::Entity->build(Type => 'text/plain', Charset => 'UTF-8', Data => [$body]),
            );
            die "ticket $number: $said" unless $id;
            $ticket->Comment(Content => "A note on $number. " . ('Have looked at it. ' x (1 + $number % 7)));
            $ticket->Correspond(Content => "A reply on $number. " . ('Please switch it off and on again. ' x (1 + $number % 5)));
        }
        $database->Commit;
        $database->SimpleQuery("UPDATE Scrips SET Disabled = 0 WHERE id IN ($all)");
    },
);

1;
