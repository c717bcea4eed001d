// Which of the platform's features the face's sources use: each name that the compiler finds declared in its own libraries.
import ts from "typescript5";

import { root } from "../project.mjs";

const PKG = `${root}pkg/`;

/** Syntax by the compiler's names for it, and by the data's. */
const SYNTAX = [
  [(node) => ts.isPrivateIdentifier(node) && ts.isMethodDeclaration(node.parent), "classes.private_class_methods"],
  [(node) => ts.isPrivateIdentifier(node) && ts.isPropertyDeclaration(node.parent), "classes.private_class_fields"],
  [(node) => ts.isPrivateIdentifier(node) && ts.isBinaryExpression(node.parent), "classes.private_class_fields_in"],
  [(node) => ts.isPropertyDeclaration(node) && isStatic(node), "classes.static.class_fields"],
  [(node) => ts.isPropertyDeclaration(node), "classes.public_class_fields"],
  [(node) => ts.isClassStaticBlockDeclaration(node), "classes.static.initialization_blocks"],
  [(node) => node.kind === ts.SyntaxKind.QuestionDotToken, "operators.optional_chaining"],
  [(node) => node.kind === ts.SyntaxKind.QuestionQuestionToken, "operators.nullish_coalescing"],
  [(node) => node.kind === ts.SyntaxKind.QuestionQuestionEqualsToken, "operators.nullish_coalescing_assignment"],
  [(node) => node.kind === ts.SyntaxKind.BarBarEqualsToken, "operators.logical_or_assignment"],
  [(node) => node.kind === ts.SyntaxKind.AmpersandAmpersandEqualsToken, "operators.logical_and_assignment"],
  [(node) => node.kind === ts.SyntaxKind.AsteriskAsteriskToken, "operators.exponentiation"],
  [(node) => ts.isSpreadAssignment(node), "operators.spread.spread_in_object_literals"],
  [(node) => ts.isBigIntLiteral(node), "builtins.BigInt"],
  [(node) => ts.isForOfStatement(node) && node.awaitModifier, "statements.for_await_of"],
  [(node) => ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword, "operators.import"],
  [(node) => ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword, "operators.import_meta"],
  [(node) => ts.isCatchClause(node) && !node.variableDeclaration, "statements.try_catch.optional_catch_binding"],
  [(node) => ts.isNumericLiteral(node) && node.getText().includes("_"), "grammar.numeric_separators"],
];

function isStatic(node) {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword);
}

/**
 * What the face's sources and the engine's glue use: each feature in the words of the compiler's libraries, with the files that use it:
 * `dom Blob.slice`, `es Map.get`, `syntax operators.optional_chaining`.
 */
export function used() {
  const { config } = ts.readConfigFile(`${PKG}tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, PKG);
  const found = new Map();
  collect(ts.createProgram(fileNames, options), found);
  // By itself: beside its declarations the compiler wouldn't read it.
  collect(ts.createProgram([`${PKG}dist/partway.js`], { ...options, allowJs: true, checkJs: true, noResolve: true }), found);
  return found;
}

/** The names of all members that the engine's glue calls or reads: what they are members of isn't in the script. */
export function glueMembers() {
  const source = ts.createSourceFile("partway.js", ts.sys.readFile(`${PKG}dist/partway.js`), ts.ScriptTarget.Latest);
  const names = new Set();
  const visit = (node) => {
    if (ts.isPropertyAccessExpression(node)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function collect(program, found) {
  const checker = program.getTypeChecker();
  for (const source of program.getSourceFiles()) {
    if (source.isDeclarationFile) continue;
    const file = source.fileName.replace(PKG, "");
    const note = (feature) => found.set(feature, (found.get(feature) ?? new Set()).add(file));
    const visit = (node) => {
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
      for (const [is, feature] of SYNTAX) if (is(node)) note(`syntax ${feature}`);
      if (ts.isIdentifier(node)) for (const feature of declared(checker, node, program)) note(feature);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
}

/** The features that a name stands for: one for each declaration of it in the compiler's libraries. */
function declared(checker, node, program) {
  const declarations = (symbolOf(checker, node)?.declarations ?? []).filter((one) => program.isSourceFileDefaultLibrary(one.getSourceFile()));
  return declarations.flatMap((declaration) => {
    const library = /lib\.(dom|webworker|scripthost)/.test(declaration.getSourceFile().fileName) ? "dom" : "es";
    const holder = holderOf(declaration);
    if (holder === undefined) return [];
    const name = declaration.name.getText().replace(/^\[Symbol\.(\w+)\]$/, "@@$1");
    return [`${library} ${holder ? `${holder}.` : ""}${name}`];
  });
}

function symbolOf(checker, node) {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent);
  // `const { name } = value` uses the member.
  const isMember = ts.isBindingElement(parent) && ts.isObjectBindingPattern(parent.parent) && (parent.propertyName ?? parent.name) === node;
  return (isMember && checker.getTypeAtLocation(parent.parent).getProperty(node.text)) || checker.getSymbolAtLocation(node);
}

/** What a declaration is a member of: "" for a global. Nothing for a type, which isn't there when the script runs. */
function holderOf(declaration) {
  const { parent } = declaration;
  if (ts.isInterfaceDeclaration(parent)) return parent.name.text;
  // `declare var Blob: { new(): Blob; … }`: a static member.
  if (ts.isTypeLiteralNode(parent)) return ts.isVariableDeclaration(parent.parent) ? parent.parent.name.getText() : undefined;
  if (ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration) || ts.isModuleDeclaration(declaration)) return undefined;
  const module = ts.findAncestor(declaration, ts.isModuleDeclaration);
  return module ? module.name.text : "";
}
