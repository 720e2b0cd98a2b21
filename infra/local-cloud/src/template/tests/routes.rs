//! Routes.

use super::{
    super::routes::{Route, check_path},
    GOOD, check_all, good,
};

#[test]
fn problems_of_routes_are_named() {
    check_all(
        r"
- POST /hook
+ POST hook
= line 55: the path `hook` does not start with a slash; write `/hook`

- POST /hook
+ 'POST /{a+}/b'
= line 55: `{a+}` in the path `/{a+}/b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ POST /a//b
= line 55: `` in the path `/a//b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ 'POST /{}'
= line 55: `{}` in the path `/{}` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ POST /a b
= line 55: `a b` in the path `/a b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ $default
= line 55: `$default` is not a method and a path; write them as in `POST /slack/command`

- POST /hook
+ post /hook
= line 55: `post` is not a method; write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE

-  RouteKey: POST /hook,
= line 53: `Hook` has no `RouteKey`; write one, as in `POST /slack/command`

-  Target: !Sub 'integrations/${Answer}'
= line 53: `Hook` has no `Target`; write `!Sub integrations/${...}` with an integration

- 'integrations/${Answer}'
+ 'integrations/${Answr}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- 'integrations/${Answer}'
+ 'integrations/${Bus}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- 'integrations/${Answer}'
+ 'integrations/${Answer}/${Answer}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- !Sub 'integrations/${Answer}'
+ !Join [/, [integrations, !Ref Answer]]
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Join`

- Target: !Sub
+ AuthorizationType: JWT, Target: !Sub
= line 55: `AuthorizationType` of `Hook` must be NONE, not `JWT`

- Target: !Sub
+ AuthorizerId: x, Target: !Sub
= line 55: the local run does not do `AuthorizerId` of `Hook`; {teach}

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: POST /hook, Target: !Sub 'integrations/${Answer}' } }
= line 53: `POST /hook` is here twice, first on line 29; remove one

- !GetAtt Tick.Arn
+ !GetAtt Table.Arn
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!GetAtt`

- !GetAtt Tick.Arn
+ !Ref Tick
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!Ref`

- !GetAtt Tick.Arn
+ !GetAtt Tock.Arn
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!GetAtt`

- AWS_PROXY
+ HTTP_PROXY
= line 52: `IntegrationType` of `Answer` must be AWS_PROXY, not `HTTP_PROXY`

- ApiId: !Ref Api, IntegrationType
+ PayloadFormatVersion: '1.0', IntegrationType
= line 52: `PayloadFormatVersion` of `Answer` must be 2.0, not `1.0`

- Type: ScheduleV2
+ Type: HttpApi
= line 40: the local run cannot start a function by `HttpApi`; write an AWS::ApiGatewayV2::Route and its Integration
",
    );
}

#[test]
fn routes_find_their_function() {
    let route = |key: &str, uri: &str| {
        let text = GOOD.replace("POST /hook", &format!("'{key}'")).replace("!GetAtt Tick.Arn", uri);
        let [Route { method, path, line: 53 }] = &good(&text).functions[0].routes[..] else {
            panic!("one route")
        };
        format!("{method} {path}")
    };
    assert_eq!(route("ANY /keys/{proxy+}", "!GetAtt Tick.Arn"), "ANY /keys/{proxy+}");
    assert_eq!(route("GET /keys", "!Ref Tick.Alias"), "GET /keys");
    let long = "!Sub 'arn:${AWS::Partition}:lambda:path/${Tick.Arn}/invocations'";
    assert_eq!(route("GET /", long), "GET /");
}

#[test]
fn paths_are_checked() {
    for path in ["/", "/a", "/a/b-c_d.json", "/a/", "/{id}", "/{id}/x", "/a/{proxy+}", "/~me/@you"]
    {
        assert_eq!(check_path(path), Ok(()), "{path}");
    }
    for path in [
        "", "a", "a/b", "$default", "//", "/a//b", "/{}", "/{+}", "/{a+}/b", "/{a}b", "/a{b}",
        "/a?b=c", "/a#b", "/ä", "/a b", "/*", "/{a b}",
    ] {
        assert!(check_path(path).is_err(), "{path}");
    }
}
