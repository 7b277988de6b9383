// RUN: lamina-opt %s -p te-contract-fma | filecheck %s

// CHECK-LABEL: @a_sum_of_products
// CHECK: (%a: f32, %b: f32, %acc: f32) {
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %acc : f32
// CHECK-NEXT: te.yield %[[S]] : f32
func.func @a_sum_of_products(%x: memref<4xf32>, %w: memref<4xf32>, %y: memref<f32>) {
  te.compute axes(reduce k: 4) ins(%x[k], %w[k]) out(%y[]) init 0.0 : f32 : memref<4xf32>, memref<4xf32>, memref<f32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// CHECK-LABEL: @vectors_and_either_side
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %c : vector<16xf32>
// CHECK-NEXT: return %[[S]]
func.func @vectors_and_either_side(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
  %p = arith.mulf %a, %b : vector<16xf32>
  %s = arith.addf %p, %c : vector<16xf32>
  func.return %s : vector<16xf32>
}

// Of two products, one stays to be added.
// CHECK-LABEL: @two_products
// CHECK-NEXT: %[[Q:.*]] = arith.mulf %b, %c : f32
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %[[Q]] : f32
// CHECK-NEXT: return %[[S]]
func.func @two_products(%a: f32, %b: f32, %c: f32) -> f32 {
  %p = arith.mulf %a, %b : f32
  %q = arith.mulf %b, %c : f32
  %s = arith.addf %p, %q : f32
  func.return %s : f32
}

// CHECK-LABEL: @a_product_that_others_need_stays
// CHECK-NEXT: %[[P:.*]] = arith.mulf %a, %b : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[P]], %c : f32
// CHECK-NEXT: return %[[P]], %[[S]]
func.func @a_product_that_others_need_stays(%a: f32, %b: f32, %c: f32) -> (f32, f32) {
  %p = arith.mulf %a, %b : f32
  %s = arith.addf %p, %c : f32
  func.return %p, %s : f32, f32
}

// What is stored as an integer could be another one; a sum of many terms is rounded anyhow.
// CHECK-LABEL: @numbers_that_become_bytes
// CHECK: math.fma %a, %b, %acc : f32
// CHECK: epilogue (%v: f32, %d: f32) {
// CHECK-NEXT: %[[P:.*]] = arith.mulf %v, %d : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[P]], %d : f32
// CHECK-NEXT: arith.fptosi %[[S]]
// CHECK: (%e: i8, %f: f32, %none: i8) {
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
func.func @numbers_that_become_bytes(%x: memref<4xf32>, %w: memref<4xf32>, %z: memref<4xf32>, %y: memref<4xi8>, %u: memref<4xi8>) {
  te.compute axes(i: 4, reduce k: 4) ins(%x[k], %w[i]) extras(%z[i]) out(%y[i]) init 0.0 : f32
    : memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xi8> (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    } epilogue (%v: f32, %d: f32) {
      %q = arith.mulf %v, %d : f32
      %t = arith.addf %q, %d : f32
      %r = arith.fptosi %t : f32 to i8
      te.yield %r : i8
    }
  te.compute axes(i: 4) ins(%y[i], %z[i]) out(%u[i]) init 0 : i8
    : memref<4xi8>, memref<4xf32>, memref<4xi8> (%e: i8, %f: f32, %none: i8) {
      %g = arith.sitofp %e : i8 to f32
      %h = arith.mulf %g, %f : f32
      %j = arith.addf %h, %f : f32
      %k = arith.fptosi %j : f32 to i8
      te.yield %k : i8
    }
  func.return
}

// A number that is rounded in place keeps its products too, though it is stored as a real one.

// CHECK-LABEL: func.func @numbers_that_are_rounded_in_place
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.roundeven
// CHECK-NEXT: math.fma
func.func @numbers_that_are_rounded_in_place(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32> (%a: f32, %none: f32) {
      %c = arith.constant 3.0 : f32
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %p, %c : f32
      %q = arith.mulf %s, %c : f32
      %r = math.roundeven %q : f32
      %t = arith.mulf %r, %c : f32
      %u = arith.addf %t, %c : f32
      te.yield %u : f32
    }
  func.return
}
