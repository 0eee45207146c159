//! The selectors that a method sends, those in nested blocks and cascades included.

use stui_embedded::syntax::ast::{Expression, Message, Method, Sequence, Statement};

/// The selectors, in source order, repetitions included.
pub fn selectors(method: &Method) -> Vec<String> {
    let mut found = Vec::new();
    sequence(&method.body, &mut found);
    found
}

fn sequence(body: &Sequence, found: &mut Vec<String>) {
    for statement in &body.statements {
        match statement {
            Statement::Expression(value) | Statement::Return { value, .. } => {
                expression(value, found);
            }
        }
    }
}

fn expression(tree: &Expression, found: &mut Vec<String>) {
    match tree {
        Expression::Literal(..) | Expression::Variable(_) => {}
        Expression::Assignment(assignment) => expression(&assignment.value, found),
        Expression::Send(send) => {
            expression(&send.receiver, found);
            message(&send.message, found);
        }
        Expression::Cascade(cascade) => {
            expression(&cascade.receiver, found);
            for each in &cascade.messages {
                message(each, found);
            }
        }
        Expression::Block(block) => sequence(&block.body, found),
        Expression::BraceArray(elements, _) => {
            for each in elements {
                expression(each, found);
            }
        }
    }
}

fn message(tree: &Message, found: &mut Vec<String>) {
    found.push(tree.selector.clone());
    for argument in &tree.arguments {
        expression(argument, found);
    }
}
