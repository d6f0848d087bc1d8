package sidecar

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// UsersMax is how many users one DecideMany takes; the sidecar's own bound.
const UsersMax = 1000

// DecideMany decides the same flags, none = all, for up to [UsersMax] users at one revision, in their order. A user that
// is refused has the defaults, and an ErrorReason; the others have their decisions. Its error is as that of
// [User.Decide]; more users, users of different datafiles, and ids that are not one for each user are one, too.
func (c *Client) DecideMany(
	ctx context.Context, users []User, flagKeys []string, options ...DecideManyOption,
) ([]Decisions, error) {
	details := decideDetails{timeout: c.settings.statusTimeout, strict: c.settings.strict}
	for _, each := range options {
		each.decideMany(&details)
	}
	var asked []string
	if len(flagKeys) > 0 {
		asked = flagKeys
	}
	fallback, err := details.defaultsOf(asked)
	if err == nil {
		err = details.check(flagKeys)
	}
	if err == nil {
		err = checkUsers(users, details.decisionIDs)
	}
	if err != nil || len(users) == 0 {
		return repeated(fallback, len(users)), err
	}
	var reply pb.DecideManyResponse
	one := &call{
		method:  pb.DecisionService_DecideMany_FullMethodName,
		request: manyRequest(users, flagKeys, &details),
		timeout: details.timeout,
		retry:   eventRetry,
	}
	failed := c.perform(ctx, one, &reply)
	if failed == nil && len(reply.GetResults()) != len(users) {
		failed = errorOf(status.Newf(codes.Internal, "got %d results for %d users", len(reply.GetResults()), len(users)),
			one.method, "")
	}
	if failed != nil {
		if details.strict {
			return repeated(fallback, len(users)), failed
		}
		c.counters.decisionsDefaulted.Add(1)
		return repeated(allBecause(fallback, failed), len(users)), nil
	}
	return c.results(&reply, fallback, details.strict)
}

// results reads what became of each user; with strict, the first that was refused is the error.
func (c *Client) results(reply *pb.DecideManyResponse, fallback Decisions, strict bool) ([]Decisions, error) {
	answered := make([]Decisions, len(reply.GetResults()))
	for place, each := range reply.GetResults() {
		if each.GetError() == nil {
			answered[place] = decisionsOf(each.GetDecided())
			continue
		}
		failed := errorOf(status.FromProto(each.GetError()), pb.DecisionService_DecideMany_FullMethodName, "")
		if strict {
			return repeated(fallback, len(answered)), failed
		}
		c.counters.decisionsDefaulted.Add(1)
		answered[place] = allBecause(fallback, failed)
	}
	return answered, nil
}

func checkUsers(users []User, ids []string) error {
	if len(users) > UsersMax {
		return argument("users", "are %d, wanted at most %d", len(users), UsersMax)
	}
	if len(ids) > 0 && len(ids) != len(users) {
		return argument("decision ids", "are %d for %d users, wanted one each or none", len(ids), len(users))
	}
	for place, each := range users {
		if err := each.Err(); err != nil {
			return argument("users", "[%d]: %s", place, err)
		}
		if first := users[0].identity.datafile; each.identity.datafile != first {
			return argument("users", "are of the datafiles `%s` and `%s`, wanted one", first, each.identity.datafile)
		}
	}
	return nil
}

func manyRequest(users []User, flagKeys []string, details *decideDetails) *pb.DecideManyRequest {
	request := &pb.DecideManyRequest{
		Users:    make([]*pb.DecideManyUser, len(users)),
		FlagKeys: flagKeys,
		Options:  details.options,
		Datafile: users[0].identity.datafile,
	}
	for place, each := range users {
		var id string
		if len(details.decisionIDs) > 0 {
			id = details.decisionIDs[place]
		} else {
			id = newID(time.Now())
		}
		request.Users[place] = &pb.DecideManyUser{
			UserId:            each.identity.userID,
			Attributes:        each.identity.fields,
			ForcedDecisions:   each.identity.forced,
			QualifiedSegments: each.identity.segments,
			DecisionId:        id,
		}
	}
	return request
}

func repeated(one Decisions, times int) []Decisions {
	all := make([]Decisions, times)
	for place := range all {
		all[place] = one
	}
	return all
}
